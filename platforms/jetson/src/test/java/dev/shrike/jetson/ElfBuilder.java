package dev.shrike.jetson;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Makes shared libraries for tests: a dynamic section and what it points to, loaded where it lies in the file. */
final class ElfBuilder {
    private static final int HEADERS = 64 + 2 * 56;
    private static final int R_AARCH64_GLOB_DAT = 1025;
    private static final int R_AARCH64_JUMP_SLOT = 1026;
    private static final int GLOBAL = 1;
    private static final int WEAK = 2;

    private record Symbol(String name, int binding, boolean called) {}

    private final ByteArrayOutputStream strings = new ByteArrayOutputStream();
    private final List<long[]> dynamic = new ArrayList<>();
    private final List<Symbol> symbols = new ArrayList<>();
    private final List<String[]> versions = new ArrayList<>();
    private int machine = ElfLibrary.AARCH64;

    ElfBuilder() {
        strings.write(0);
    }

    private int string(String text) {
        int at = strings.size();
        strings.writeBytes((text + '\0').getBytes(StandardCharsets.US_ASCII));
        return at;
    }

    ElfBuilder machine(int number) {
        machine = number;
        return this;
    }

    ElfBuilder soname(String name) {
        return tag(14, string(name));
    }

    ElfBuilder needs(String library) {
        return tag(1, string(library));
    }

    ElfBuilder needs(String library, String version) {
        versions.add(new String[] {library, version});
        return needs(library);
    }

    /** A function that is called through the procedure linkage table. */
    ElfBuilder calls(String function) {
        symbols.add(new Symbol(function, GLOBAL, true));
        return this;
    }

    /** A symbol whose address is wanted when the library is loaded. */
    ElfBuilder refers(String symbol) {
        symbols.add(new Symbol(symbol, GLOBAL, false));
        return this;
    }

    ElfBuilder refersWeakly(String symbol) {
        symbols.add(new Symbol(symbol, WEAK, false));
        return this;
    }

    /** An entry of the dynamic section as it is. */
    ElfBuilder tag(long tag, long value) {
        dynamic.add(new long[] {tag, value});
        return this;
    }

    byte[] build() {
        ByteBuffer file = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
        file.position(HEADERS);
        tag(6, file.position());
        file.position(file.position() + 24);
        for (Symbol symbol : symbols) {
            file.putInt(string(symbol.name())).put((byte) (symbol.binding() << 4)).position(file.position() + 19);
        }
        putRelocations(file, false, R_AARCH64_GLOB_DAT, 7, 8);
        putRelocations(file, true, R_AARCH64_JUMP_SLOT, 23, 2);
        tag(0x6ffffffeL, file.position());
        tag(0x6fffffffL, versions.size());
        for (int i = 0; i < versions.size(); i++) {
            int next = i == versions.size() - 1 ? 0 : 32;
            file.putShort((short) 1).putShort((short) 1).putInt(string(versions.get(i)[0])).putInt(16).putInt(next);
            file.putInt(0).putShort((short) 0).putShort((short) 2).putInt(string(versions.get(i)[1])).putInt(0);
        }
        tag(5, file.position());
        tag(10, strings.size());
        file.put(strings.toByteArray());
        int start = file.position();
        tag(0, 0);
        dynamic.forEach(entry -> file.putLong(entry[0]).putLong(entry[1]));
        int end = file.position();
        file.putInt(0, 0x464c457f).put(4, (byte) 2).put(5, (byte) 1).putShort(16, (short) 3);
        file.putShort(18, (short) machine).putLong(32, 64).putShort(54, (short) 56).putShort(56, (short) 2);
        putSegment(file, 64, 1, 0, end);
        putSegment(file, 64 + 56, 2, start, end - start);
        byte[] bytes = new byte[end];
        file.get(0, bytes);
        return bytes;
    }

    private void putRelocations(ByteBuffer file, boolean called, int kind, int table, int size) {
        int start = file.position();
        for (int i = 0; i < symbols.size(); i++) {
            if (symbols.get(i).called() == called) {
                file.putLong(0).putLong((i + 1L) << 32 | kind).putLong(0);
            }
        }
        tag(table, start);
        tag(size, file.position() - start);
    }

    private static void putSegment(ByteBuffer file, int at, int kind, int start, int size) {
        file.putInt(at, kind).putLong(at + 8, start).putLong(at + 16, start).putLong(at + 32, size);
    }
}
