package dev.shrike.jetson;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a shared library asks of the machine that loads it, read from its dynamic section as the dynamic linker does:
 * section headers are not needed. 64 bits, little-endian, relocations with addends (all that x86_64 and aarch64 have).
 *
 * @param machine the processor: {@link #X86_64}, {@link #AARCH64} or another
 * @param soname its own name, or empty
 * @param needed names of the libraries that are loaded with it
 * @param versions symbol versions that those must have
 * @param imports symbols that it takes from them
 */
record ElfLibrary(
        int machine, String soname, List<String> needed, List<VersionNeed> versions, Set<Import> imports) {
    static final int X86_64 = 62;
    static final int AARCH64 = 183;

    private static final int FILE_HEADER = 64;
    private static final int PROGRAM_HEADER = 56;
    private static final int SYMBOL = 24;
    private static final int RELOCATION = 24;
    private static final int LOAD = 1;
    private static final int DYNAMIC = 2;
    private static final int SHARED_OBJECT = 3;
    private static final int WEAK = 2;
    /** No library of this world has more; keeps damaged counts from filling the memory. */
    private static final int MOST = 1 << 14;

    ElfLibrary {
        needed = List.copyOf(needed);
        versions = List.copyOf(versions);
        imports = Set.copyOf(imports);
    }

    /**
     * A version that a library must have.
     *
     * @param library its name
     * @param version the version, such as {@code "GLIBC_2.17"}
     * @param weak whether the dynamic linker only warns if it is not there
     */
    record VersionNeed(String library, String version, boolean weak) {}

    /**
     * A symbol that another library must have.
     *
     * @param symbol its name
     * @param weak whether it may be missing
     * @param lazy whether it is looked for when it is first called, not when the library is loaded
     */
    record Import(String symbol, boolean weak, boolean lazy) {}

    /** Tags of the dynamic section. */
    private enum Tag {
        NEEDED(1),
        PLT_SIZE(2),
        STRINGS(5),
        SYMBOLS(6),
        RELOCATIONS(7),
        RELOCATIONS_SIZE(8),
        STRINGS_SIZE(10),
        SONAME(14),
        PLT(23),
        BIND_NOW(24),
        FLAGS(30),
        FLAGS_1(0x6ffffffb),
        VERSION_NEEDS(0x6ffffffe),
        VERSION_NEEDS_COUNT(0x6fffffff);

        private final long value;

        Tag(long value) {
            this.value = value;
        }
    }

    /**
     * The library in these bytes.
     *
     * @throws IllegalArgumentException if they are none, or damaged where this looks; says how
     */
    static ElfLibrary read(byte[] file) {
        return new Reader(file).read();
    }

    private static final class Reader {
        private final ByteBuffer bytes;
        private final Map<Long, Long> dynamic = new HashMap<>();
        private final List<Long> needed = new ArrayList<>();

        Reader(byte[] file) {
            bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        }

        ElfLibrary read() {
            require(0, FILE_HEADER, "file header");
            if (bytes.getInt(0) != 0x464c457f || bytes.get(4) != 2 || bytes.get(5) != 1) {
                throw new IllegalArgumentException("is no ELF file of 64 bits, little-endian");
            }
            if (bytes.getShort(16) != SHARED_OBJECT) {
                throw new IllegalArgumentException("is no shared library");
            }
            int machine = bytes.getShort(18) & 0xffff;
            readDynamic();
            long soname = value(Tag.SONAME);
            return new ElfLibrary(machine, soname == 0 ? "" : string(soname),
                    needed.stream().map(this::string).toList(),
                    versions(), imports(machine));
        }

        private void readDynamic() {
            int header = segment(DYNAMIC, 0);
            if (header < 0) {
                throw new IllegalArgumentException("has no dynamic section");
            }
            int at = offset(bytes.getLong(header + 8), bytes.getLong(header + 32), "dynamic section");
            int end = at + (int) bytes.getLong(header + 32);
            for (; at + 16 <= end && bytes.getLong(at) != 0; at += 16) {
                long tag = bytes.getLong(at);
                dynamic.putIfAbsent(tag, bytes.getLong(at + 8));
                if (tag == Tag.NEEDED.value) {
                    needed.add(bytes.getLong(at + 8));
                }
            }
        }

        /** Position of the n-th program header of a kind, -1 if there are fewer. */
        private int segment(int kind, int index) {
            int count = bytes.getShort(56) & 0xffff;
            if ((bytes.getShort(54) & 0xffff) != PROGRAM_HEADER) {
                throw new IllegalArgumentException("has program headers of an unknown size");
            }
            int at = offset(bytes.getLong(32), (long) count * PROGRAM_HEADER, "program headers");
            for (int i = 0, seen = 0; i < count; i++, at += PROGRAM_HEADER) {
                if (bytes.getInt(at) == kind && seen++ == index) {
                    return at;
                }
            }
            return -1;
        }

        private void require(long at, long size, String what) {
            if (at < 0 || size < 0 || at > bytes.limit() || size > bytes.limit() - at) {
                throw new IllegalArgumentException("was cut off or is damaged: its " + what + " lies outside of its "
                        + bytes.limit() + " bytes");
            }
        }

        private int offset(long at, long size, String what) {
            require(at, size, what);
            return (int) at;
        }

        /** Position in the file of what is loaded at an address. */
        private int loaded(long address, long size, String what) {
            for (int i = 0, at; (at = segment(LOAD, i)) >= 0; i++) {
                long start = bytes.getLong(at + 16);
                long length = bytes.getLong(at + 32);
                if (address >= start && address - start < length) {
                    if (size > length - (address - start)) {
                        break;
                    }
                    return offset(bytes.getLong(at + 8) + (address - start), size, what);
                }
            }
            throw new IllegalArgumentException("is damaged: its " + what + " lies outside of what is loaded");
        }

        private long value(Tag tag) {
            return dynamic.getOrDefault(tag.value, 0L);
        }

        private String string(long index) {
            long size = value(Tag.STRINGS_SIZE);
            int start = loaded(value(Tag.STRINGS), size, "string table");
            if (index < 0 || index >= size) {
                throw new IllegalArgumentException("is damaged: a name lies outside of its string table");
            }
            int from = start + (int) index;
            int to = from;
            while (to < start + size && bytes.get(to) != 0) {
                to++;
            }
            return new String(bytes.array(), from, to - from, StandardCharsets.UTF_8);
        }

        private List<VersionNeed> versions() {
            List<VersionNeed> found = new ArrayList<>();
            long address = value(Tag.VERSION_NEEDS);
            for (long i = 0, count = count(value(Tag.VERSION_NEEDS_COUNT)); i < count; i++) {
                int at = loaded(address, 16, "version needs");
                String library = string(Integer.toUnsignedLong(bytes.getInt(at + 4)));
                long version = address + Integer.toUnsignedLong(bytes.getInt(at + 8));
                for (int j = 0, versions = bytes.getShort(at + 2) & 0xffff; j < versions; j++) {
                    int one = loaded(version, 16, "version needs");
                    found.add(new VersionNeed(library, string(Integer.toUnsignedLong(bytes.getInt(one + 8))),
                            (bytes.getShort(one + 4) & WEAK) != 0));
                    version += Integer.toUnsignedLong(bytes.getInt(one + 12));
                }
                count(found.size());
                address += Integer.toUnsignedLong(bytes.getInt(at + 12));
            }
            return found;
        }

        private static long count(long count) {
            if (count < 0 || count > MOST) {
                throw new IllegalArgumentException("is damaged: it counts " + Long.toUnsignedString(count)
                        + " entries of a table");
            }
            return count;
        }

        private Set<Import> imports(int machine) {
            boolean now = dynamic.containsKey(Tag.BIND_NOW.value) || (value(Tag.FLAGS) & 8) != 0
                    || (value(Tag.FLAGS_1) & 1) != 0;
            Set<Import> found = new LinkedHashSet<>();
            addImports(found, Tag.RELOCATIONS, Tag.RELOCATIONS_SIZE, -1);
            addImports(found, Tag.PLT, Tag.PLT_SIZE, now ? -1 : jumpSlot(machine));
            return found;
        }

        /** The relocation of a function that is only called. */
        private static int jumpSlot(int machine) {
            return switch (machine) {
                case X86_64 -> 7;
                case AARCH64 -> 1026;
                default -> throw new IllegalArgumentException("is for processor " + machine + ", which is not known");
            };
        }

        private void addImports(Set<Import> found, Tag table, Tag size, int lazyKind) {
            long bytesOfTable = value(size);
            if (bytesOfTable == 0) {
                return;
            }
            int at = loaded(value(table), bytesOfTable, "relocations");
            for (long i = 0; i < bytesOfTable / RELOCATION; i++, at += RELOCATION) {
                long info = bytes.getLong(at + 8);
                long index = info >>> 32;
                if (index == 0) {
                    continue;
                }
                int symbol = loaded(value(Tag.SYMBOLS) + index * SYMBOL, SYMBOL, "symbol table");
                if (bytes.getShort(symbol + 6) == 0) {
                    boolean weak = (bytes.get(symbol + 4) & 0xff) >>> 4 == WEAK;
                    found.add(new Import(string(Integer.toUnsignedLong(bytes.getInt(symbol))), weak,
                            (int) info == lazyKind));
                }
            }
        }
    }
}
