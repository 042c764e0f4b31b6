package dev.shrike.vision;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Decodes the strips or tiles of a TIFF page that {@link TiffStructure} found whole: without compression, or with
 * PackBits, LZW or Deflate (TIFF 6.0, sections 9, 13 and 14, and its supplement 2). In Java: libtiff is known for what
 * damaged files do to it, and prints what it thinks of them.
 */
final class TiffPixels {
    private static final int LZW = 5;
    private static final int PACK_BITS = 32_773;
    private static final int CLEAR = 256;
    private static final int END = 257;
    private static final int LZW_CODES = 4096;

    private static final int PALETTE = 3;
    private static final int INKS = 5;

    private final EncodedBytes bytes;
    private final TiffDirectory page;
    private final boolean little;
    private final int width;
    private final int height;
    private final int samples;
    private final int bits;
    private final int photometric;
    private final MemorySegment pixels;

    private TiffPixels(EncodedBytes bytes, ImageHeader header) {
        this.bytes = bytes;
        page = TiffDirectory.first(bytes, 0);
        little = bytes.u8(0) == 'I';
        width = (int) header.width();
        height = (int) header.height();
        samples = (int) page.value(TiffDirectory.SAMPLES, 1);
        bits = (int) page.value(TiffDirectory.BITS, 1);
        photometric = (int) page.value(TiffDirectory.PHOTOMETRIC, 1);
        pixels = Arena.ofAuto().allocate(3L * width * height, 64);
    }

    /**
     * The first page as it is stored.
     *
     * @throws dev.shrike.SourceException if its data are damaged or end too early
     */
    static OpenCv.Decoded decode(EncodedBytes bytes, ImageHeader header) {
        TiffPixels tiff = new TiffPixels(bytes, header);
        TiffStructure.Parts parts = TiffStructure.Parts.of(tiff.page, tiff.width, tiff.height);
        int row = (int) ((parts.width() * tiff.samples * tiff.bits + 7) / 8);
        for (int i = 0; i < parts.count(); i++) {
            int top = (int) (i / parts.across() * parts.height());
            int left = (int) (i % parts.across() * parts.width());
            byte[] part = tiff.expand(parts, i, row * (int) parts.rows(i, tiff.height));
            tiff.undoPrediction(part, row);
            tiff.put(part, row, left, top, (int) parts.width());
        }
        return new OpenCv.Decoded(tiff.width, tiff.height, tiff.pixels);
    }

    private byte[] expand(TiffStructure.Parts parts, int index, int length) {
        byte[] packed = bytes.copy(parts.offset(index), (int) parts.length(index));
        int compression = (int) page.value(TiffDirectory.COMPRESSION, 1);
        byte[] part = new byte[length];
        int filled = switch (compression) {
            case 1 -> copy(packed, part);
            case LZW -> lzw(packed, part);
            case PACK_BITS -> packBits(packed, part);
            default -> inflate(packed, part);
        };
        if (filled < length) {
            throw bytes.truncated("TIFF strip or tile " + index + " holds " + filled + " of " + length
                    + " bytes of pixels, the rest is missing or damaged");
        }
        return part;
    }

    private static int copy(byte[] packed, byte[] part) {
        int count = Math.min(packed.length, part.length);
        System.arraycopy(packed, 0, part, 0, count);
        return count;
    }

    private static int packBits(byte[] packed, byte[] part) {
        int to = 0;
        for (int at = 0; at + 1 < packed.length && to < part.length;) {
            int code = packed[at++];
            if (code >= 0) {
                int count = Math.min(Math.min(code + 1, packed.length - at), part.length - to);
                System.arraycopy(packed, at, part, to, count);
                at += code + 1;
                to += count;
            } else if (code != -128) {
                int count = Math.min(1 - code, part.length - to);
                java.util.Arrays.fill(part, to, to + count, packed[at++]);
                to += count;
            }
        }
        return to;
    }

    private static int inflate(byte[] packed, byte[] part) {
        try (Inflater inflater = new Inflater()) {
            inflater.setInput(packed);
            int to = 0;
            while (to < part.length) {
                int count = inflater.inflate(part, to, part.length - to);
                if (count == 0) {
                    break;
                }
                to += count;
            }
            return to;
        } catch (DataFormatException e) {
            return 0;
        }
    }

    /** Codes of 9 to 12 bits, the highest bit first; the width grows one code early. */
    private static int lzw(byte[] packed, byte[] part) {
        int[] prefix = new int[LZW_CODES];
        byte[] last = new byte[LZW_CODES];
        int[] lengths = new int[LZW_CODES];
        for (int i = 0; i < CLEAR; i++) {
            last[i] = (byte) i;
            lengths[i] = 1;
        }
        int free = END + 1;
        int codeBits = 9;
        int before = -1;
        int to = 0;
        for (long at = 0; at + codeBits <= 8L * packed.length && to < part.length;) {
            int code = bitsAt(packed, at, codeBits);
            at += codeBits;
            if (code == END) {
                break;
            }
            if (code == CLEAR) {
                free = END + 1;
                codeBits = 9;
                before = -1;
                continue;
            }
            if (code > free || code == free && before < 0 || before >= 0 && free == LZW_CODES) {
                break;
            }
            if (before >= 0) {
                prefix[free] = before;
                lengths[free] = lengths[before] + 1;
                last[free] = firstByte(prefix, code == free ? before : code);
                free++;
            } else if (code > END) {
                break;
            }
            to = emit(code, prefix, last, lengths, part, to);
            before = code;
            codeBits = free >= 2047 ? 12 : free >= 1023 ? 11 : free >= 511 ? 10 : 9;
        }
        return to;
    }

    private static byte firstByte(int[] prefix, int code) {
        int at = code;
        while (at > END) {
            at = prefix[at];
        }
        return (byte) at;
    }

    private static int emit(int code, int[] prefix, byte[] last, int[] lengths, byte[] part, int to) {
        int end = to + lengths[code];
        int at = code;
        for (int i = end - 1; i >= to; i--) {
            if (i < part.length) {
                part[i] = last[at];
            }
            at = prefix[at];
        }
        return Math.min(end, part.length);
    }

    private static int bitsAt(byte[] packed, long at, int count) {
        int value = 0;
        int first = (int) (at >> 3);
        for (int i = 0; i < 3; i++) {
            value = value << 8 | (first + i < packed.length ? packed[first + i] & 255 : 0);
        }
        return value >> 24 - count - (int) (at & 7) & (1 << count) - 1;
    }

    /** Samples may be stored as differences from the pixel on the left. */
    private void undoPrediction(byte[] part, int row) {
        if (page.value(TiffDirectory.PREDICTOR, 1) != 2) {
            return;
        }
        int step = samples * bits / 8;
        for (int start = 0; start < part.length; start += row) {
            for (int i = start + step; i < start + row; i += bits / 8) {
                if (bits == 8) {
                    part[i] += part[i - step];
                } else {
                    int high = little ? 1 : 0;
                    int sum = u16(part, i, high) + u16(part, i - step, high);
                    part[i + high] = (byte) (sum >> 8);
                    part[i + 1 - high] = (byte) sum;
                }
            }
        }
    }

    private static int u16(byte[] part, int at, int high) {
        return (part[at + high] & 255) << 8 | part[at + 1 - high] & 255;
    }

    private void put(byte[] part, int row, int left, int top, int partWidth) {
        for (int y = 0; y * row < part.length && top + y < height; y++) {
            for (int x = 0; x < partWidth && left + x < width; x++) {
                int colour = colour(part, y * row, x);
                long to = 3L * ((long) (top + y) * width + left + x);
                pixels.set(ValueLayout.JAVA_BYTE, to, (byte) colour);
                pixels.set(ValueLayout.JAVA_BYTE, to + 1, (byte) (colour >> 8));
                pixels.set(ValueLayout.JAVA_BYTE, to + 2, (byte) (colour >> 16));
            }
        }
    }

    /** 0xRRGGBB of a pixel. */
    private int colour(byte[] part, int row, int x) {
        int first = level(part, row, x * samples);
        return switch (photometric) {
            case PALETTE -> map(first, 0) << 16 | map(first, 1) << 8 | map(first, 2);
            case 2 -> first << 16 | level(part, row, x * samples + 1) << 8 | level(part, row, x * samples + 2);
            case INKS -> {
                int paper = 255 - level(part, row, x * samples + 3);
                yield (255 - first) * paper / 255 << 16 | (255 - level(part, row, x * samples + 1)) * paper / 255 << 8
                        | (255 - level(part, row, x * samples + 2)) * paper / 255;
            }
            case 0 -> (255 - first) * 0x010101;
            default -> first * 0x010101;
        };
    }

    /** A sample as 8 bits; an index of a palette stays as it is. */
    private int level(byte[] part, int row, int sample) {
        return switch (bits) {
            case 8 -> part[row + sample] & 255;
            case 16 -> part[row + 2 * sample + (little ? 1 : 0)] & 255;
            default -> {
                int perByte = 8 / bits;
                int shift = 8 - bits - sample % perByte * bits;
                int value = part[row + sample / perByte] >> shift & (1 << bits) - 1;
                yield photometric == PALETTE ? value : value * 255 / ((1 << bits) - 1);
            }
        };
    }

    private int map(int index, int channel) {
        return (int) page.value(TiffDirectory.COLOUR_MAP, ((long) channel << bits) + index, 0) >> 8;
    }
}
