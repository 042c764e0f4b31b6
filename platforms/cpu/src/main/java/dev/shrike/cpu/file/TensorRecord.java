package dev.shrike.cpu.file;

import dev.shrike.DeviceException;
import dev.shrike.ModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * Constants as entries of the header ({@code type}, {@code dims}, {@code encoding}, {@code offset}, {@code size}) and
 * bytes of the section of constants. Every encoding gives back the same bits:
 *
 * <ul>
 *   <li>{@code RAW}: the elements, little-endian; from 64 bytes on at a multiple of 64. The tensor is a view of them.
 *   <li>{@code CODES}: integers as {@code low + step * code}, the codes with {@code bits} bits each (1 to 8): code
 *       {@code i} is bits {@code i * bits} to {@code (i + 1) * bits - 1} of the bytes as one little-endian number. So
 *       weights of four bits take half a byte and those of one bit, -1 and +1 as well, an eighth.
 *   <li>{@code DEFLATED}: the elements compressed (RFC 1951), for tables that repeat themselves, such as the cells of a
 *       detection head, and for weights whose codes are not all as frequent, with Huffman codes and no repetitions.
 *   <li>{@code WITHOUT_ZEROS}: a mask and the elements that are not 0, as {@link ZeroPacking} has them, for floats of
 *       pruned networks. Files that use it have version 2, others version 1.
 * </ul>
 */
public final class TensorRecord {
    private static final int MOST_BITS = 8;
    /** Smaller tensors are not worth packing. */
    private static final int FEW_BYTES = 64;
    /** Deflate never makes less than one byte of this many. */
    private static final long MOST_EXPANSION = 1040;
    /**
     * How much larger all constants together may be than the section that holds them, besides {@link #ROOM}. Integers
     * of 64 bits that are stored in one take this much, and nothing else comes near it but tables, which are small.
     */
    private static final long MOST_UNPACKING = 64;
    /** Bytes for tables that nearly vanish when they are compressed, such as the cells of a detection head. */
    private static final long ROOM = 1L << 28;

    /** How the elements are stored. */
    enum Encoding {
        RAW,
        CODES,
        DEFLATED,
        WITHOUT_ZEROS
    }

    private TensorRecord() {}

    /** Collects the bytes of the constants. Equal bytes are kept once. */
    public static final class Writer {
        private static final int SAMPLE = 1 << 15;
        /** Bytes from which a code of its own for each tensor may pay. */
        private static final int LEAST_CODED = 1 << 10;
        /** Weights that stay as they are need no memory beside the file, so codes must save more there. */
        private static final double MOST_OF_RAW = 0.8;
        private static final double MOST_OF_PACKED = 0.97;
        /** Older programs read what is deflated, so another encoding must save more than this. */
        private static final double MOST_OF_DEFLATED = 0.95;

        private final List<MemorySegment> pieces = new ArrayList<>();
        private final Map<ByteBuffer, Long> known = new HashMap<>();
        private long end;
        private boolean withoutZeros;

        /** The lowest version of the format that has all encodings in use. */
        int version() {
            return withoutZeros ? FileLayout.VERSION : FileLayout.FIRST_VERSION;
        }

        /** The bytes of the section, in pieces. */
        public List<MemorySegment> pieces() {
            return List.copyOf(pieces);
        }

        /** Adds a tensor and gives its entry. */
        public Map<String, Object> add(Tensor tensor) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("type", tensor.type());
            entry.put("dims", tensor.shape().dims());
            if (tensor.data().byteSize() >= FEW_BYTES && (codes(tensor, entry) || deflated(tensor, entry)
                    || withoutZeros(tensor, entry))) {
                return entry;
            }
            entry.put("encoding", Encoding.RAW);
            place(tensor.data(), tensor.data().byteSize() < FEW_BYTES ? 8 : FileLayout.ALIGNMENT, entry);
            return entry;
        }

        private boolean codes(Tensor tensor, Map<String, Object> entry) {
            CodeRange range = CodeRange.of(tensor);
            if (range == null) {
                return false;
            }
            boolean packs = range.bits() <= MOST_BITS && range.bits() < tensor.type().bits();
            byte[] packed = packs ? BitPacking.pack(tensor, range) : new byte[0];
            long size = tensor.data().byteSize();
            if (tensor.type().bits() == Byte.SIZE && size >= LEAST_CODED && size <= Integer.MAX_VALUE - 64) {
                byte[] coded = deflate(tensor.data(), Deflater.HUFFMAN_ONLY);
                if (coded.length < (packs ? MOST_OF_PACKED * packed.length : MOST_OF_RAW * size)) {
                    entry.put("encoding", Encoding.DEFLATED);
                    place(MemorySegment.ofArray(coded), 8, entry);
                    return true;
                }
            }
            if (!packs) {
                return false;
            }
            entry.put("encoding", Encoding.CODES);
            entry.put("bits", range.bits());
            entry.put("low", range.low());
            entry.put("step", range.step());
            place(MemorySegment.ofArray(packed), 8, entry);
            return true;
        }

        private boolean deflated(Tensor tensor, Map<String, Object> entry) {
            long size = tensor.data().byteSize();
            if (size > Integer.MAX_VALUE - 64) {
                return false;
            }
            // Weights do not shrink; their first bytes tell.
            long sample = Math.min(size, SAMPLE);
            if (deflate(tensor.data().asSlice(0, sample), Deflater.DEFAULT_STRATEGY).length > sample / 2) {
                return false;
            }
            byte[] bytes = deflate(tensor.data(), Deflater.DEFAULT_STRATEGY);
            if (bytes.length > size / 2 || withoutZerosSize(tensor) < MOST_OF_DEFLATED * bytes.length) {
                return false;
            }
            entry.put("encoding", Encoding.DEFLATED);
            place(MemorySegment.ofArray(bytes), 8, entry);
            return true;
        }

        private boolean withoutZeros(Tensor tensor, Map<String, Object> entry) {
            if (withoutZerosSize(tensor) > MOST_OF_RAW * tensor.data().byteSize()) {
                return false;
            }
            byte[] packed = ZeroPacking.pack(tensor.data().toArray(ValueLayout.JAVA_BYTE), width(tensor));
            entry.put("encoding", Encoding.WITHOUT_ZEROS);
            place(MemorySegment.ofArray(packed), 8, entry);
            withoutZeros = true;
            return true;
        }

        private static double withoutZerosSize(Tensor tensor) {
            return tensor.type().isFloating() && tensor.data().byteSize() <= Integer.MAX_VALUE - 64
                    ? ZeroPacking.size(tensor.data().toArray(ValueLayout.JAVA_BYTE), width(tensor))
                    : Double.POSITIVE_INFINITY;
        }

        private static int width(Tensor tensor) {
            return tensor.type().bits() / Byte.SIZE;
        }

        private static byte[] deflate(MemorySegment data, int strategy) {
            try (Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true)) {
                deflater.setStrategy(strategy);
                deflater.setInput(data.toArray(ValueLayout.JAVA_BYTE));
                deflater.finish();
                byte[] bytes = new byte[(int) Math.min(Integer.MAX_VALUE - 8L, data.byteSize() + 64)];
                int length = 0;
                while (!deflater.finished() && length < bytes.length) {
                    length += deflater.deflate(bytes, length, bytes.length - length);
                }
                return java.util.Arrays.copyOf(bytes, deflater.finished() ? length : bytes.length);
            }
        }

        private void place(MemorySegment bytes, long alignment, Map<String, Object> entry) {
            // Most small tensors are scales and zero points, of which many are the same.
            ByteBuffer key = bytes.byteSize() > 1 << 16 ? null
                    : ByteBuffer.wrap(bytes.toArray(ValueLayout.JAVA_BYTE));
            Long before = key == null ? null : known.get(key);
            long offset = before != null && before % alignment == 0 ? before : append(bytes, alignment);
            if (key != null) {
                known.put(key, offset);
            }
            entry.put("offset", offset);
            entry.put("size", bytes.byteSize());
        }

        private long append(MemorySegment bytes, long alignment) {
            long offset = FileLayout.align(end, alignment);
            pieces.add(MemorySegment.ofArray(new byte[(int) (offset - end)]));
            pieces.add(bytes);
            end = offset + bytes.byteSize();
            return offset;
        }
    }

    /**
     * Checks what all these entries take in memory together, before any is unpacked: a few bytes that many entries
     * share could ask for more than there is.
     *
     * @throws ModelException if it is more than any sound file needs
     * @throws DeviceException if it is more than the heap can hold
     */
    static void checkSizes(List<Fields> entries, MemorySegment section) {
        double total = 0;
        for (Fields entry : entries) {
            double bytes = entry.choice("type", DataType.class).bits() / 8.0;
            for (long dim : entry.numbers("dims")) {
                bytes *= Math.max(0, dim);
            }
            // What is more than its bytes can hold is refused by itself, with what is wrong, before memory is taken.
            total += bytes <= MOST_EXPANSION * (entry.number("size") + 1.0) ? bytes : 0;
        }
        if (total > (double) MOST_UNPACKING * section.byteSize() + ROOM) {
            throw new ModelException(String.format(Locale.ROOT, "the constants are %.0f bytes in memory, made of %d in"
                    + " the file: no sound file has such", total, section.byteSize()));
        }
        long most = Runtime.getRuntime().maxMemory();
        if (total > most) {
            throw new DeviceException(
                    String.format(Locale.ROOT, "the constants take %.0f bytes of memory, and there are"
                            + " %d; raise the limit with -Xmx", total, most));
        }
    }

    /**
     * The tensor of an entry.
     *
     * @throws ModelException if the entry does not fit the section or itself
     */
    public static Tensor read(Fields entry, MemorySegment section) {
        DataType type = entry.choice("type", DataType.class);
        try {
            Shape shape = new Shape(entry.numbers("dims"));
            if (!shape.isKnown()) {
                throw new ModelException(entry.where() + ": a constant cannot have the open shape " + shape);
            }
            MemorySegment bytes = bytes(entry, section);
            return switch (entry.choice("encoding", Encoding.class)) {
                case RAW -> new Tensor(type, shape, bytes);
                case CODES -> unpacked(entry, type, shape, bytes);
                case DEFLATED -> inflated(entry, type, shape, bytes);
                case WITHOUT_ZEROS -> withZeros(entry, type, shape, bytes);
            };
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new ModelException(entry.where() + ": " + e.getMessage(), e);
        }
    }

    private static MemorySegment bytes(Fields entry, MemorySegment section) {
        long offset = entry.number("offset");
        long size = entry.number("size");
        if (offset < 0 || size < 0 || offset > section.byteSize() || size > section.byteSize() - offset) {
            throw new ModelException(entry.where() + ": " + size + " bytes at " + offset + " are not within the "
                    + section.byteSize() + " bytes of the constants");
        }
        return section.asSlice(offset, size);
    }

    private static Tensor unpacked(Fields entry, DataType type, Shape shape, MemorySegment bytes) {
        int bits = entry.integer("bits");
        if (bits < 1 || bits > MOST_BITS || type.isFloating()) {
            throw new ModelException(entry.where() + ": codes of " + bits + " bits cannot hold " + type);
        }
        long elements = shape.elements();
        if (elements > Integer.MAX_VALUE - 8 || Math.ceilDiv(elements * bits, 8) != bytes.byteSize()
                || type.bytes(elements) > Integer.MAX_VALUE - 8) {
            throw new ModelException(entry.where() + ": " + bytes.byteSize() + " bytes do not hold " + shape
                    + " codes of " + bits + " bits");
        }
        CodeRange range = new CodeRange(entry.number("low"), entry.number("step"), bits);
        return BitPacking.unpack(bytes.toArray(ValueLayout.JAVA_BYTE), range, type, shape);
    }

    private static Tensor withZeros(Fields entry, DataType type, Shape shape, MemorySegment bytes) {
        if (!type.isFloating()) {
            throw new ModelException(entry.where() + ": zeros are left out of floats alone, not of " + type);
        }
        long elements = shape.elements();
        int width = type.bits() / Byte.SIZE;
        byte[] data = elements > (Integer.MAX_VALUE - 8) / width || bytes.byteSize() > Integer.MAX_VALUE - 8
                || elements > Byte.SIZE * bytes.byteSize() ? null
                        : ZeroPacking.unpack(bytes.toArray(ValueLayout.JAVA_BYTE), (int) elements, width);
        if (data == null) {
            throw new ModelException(entry.where() + ": " + bytes.byteSize() + " bytes do not hold " + shape
                    + " elements without their zeros");
        }
        return new Tensor(type, shape, MemorySegment.ofArray(data));
    }

    private static Tensor inflated(Fields entry, DataType type, Shape shape, MemorySegment bytes) {
        long size = type.bytes(shape.elements());
        if (size > Integer.MAX_VALUE - 8 || size / MOST_EXPANSION > bytes.byteSize()) {
            throw new ModelException(entry.where() + ": " + bytes.byteSize() + " compressed bytes cannot hold " + size);
        }
        byte[] data = new byte[(int) size];
        try (Inflater inflater = new Inflater(true)) {
            // An array, whatever the bytes are: zlib must not read a mapped file that may be cut off.
            inflater.setInput(bytes.toArray(ValueLayout.JAVA_BYTE));
            int length = 0;
            while (length < size && !inflater.finished()) {
                int more = inflater.inflate(data, length, data.length - length);
                if (more == 0 && (inflater.needsInput() || inflater.needsDictionary())) {
                    break;
                }
                length += more;
            }
            if (length != size) {
                throw new ModelException(entry.where() + ": " + length + " bytes come of the compressed ones, not "
                        + size);
            }
        } catch (DataFormatException e) {
            throw new ModelException(entry.where() + ": the compressed bytes are broken: " + e.getMessage(), e);
        }
        return new Tensor(type, shape, MemorySegment.ofArray(data));
    }
}
