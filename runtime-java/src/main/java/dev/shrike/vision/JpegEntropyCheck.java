package dev.shrike.vision;

import java.util.ArrayList;
import java.util.List;

/**
 * Proves that a JPEG's scans have the data of every block, by reading their Huffman codes (ITU-T T.81, annexes F and G)
 * without making pixels of them. The decoder inside OpenCV fills up what is missing with grey and says so on the
 * process's error output alone, which a library must not take away from its process.
 *
 * <p>It is as lenient as that decoder: bits and bytes that no block wants do no harm, and are told so that they can be
 * left out. Images with arithmetic coding or 12 bits a sample and lossless ones cannot be proved so and are refused.
 */
final class JpegEntropyCheck {
    private static final int BASELINE = 0xc0;
    private static final int EXTENDED = 0xc1;
    private static final int PROGRESSIVE = 0xc2;
    private static final int BLOCK = 64;
    private static final int MOST_COMPONENTS = 4;
    private static final int MOST_BLOCKS = 10;

    private final EncodedBytes bytes;
    private ImageHeader image;
    private boolean progressive;
    private final List<Component> components = new ArrayList<>();
    private final JpegHuffmanTable[] dc = new JpegHuffmanTable[4];
    private final JpegHuffmanTable[] ac = new JpegHuffmanTable[4];
    private final List<ImageHeader.Excess> excess = new ArrayList<>();
    private int acrossMost = 1;
    private int downMost = 1;
    private int restartInterval;
    private int endOfBandRun;

    /** By block a bit for each coefficient that is not 0, of progressive images only. */
    private record Component(int id, int across, int down, int blocksWide, int blocksHigh, int stride,
            long[] nonzero) {}

    private record Part(Component component, JpegHuffmanTable dc, JpegHuffmanTable ac) {}

    private record Scan(List<Part> parts, int first, int last, boolean refines, JpegScanBits bits) {}

    /** A JPEG of which nothing is known yet. */
    JpegEntropyCheck(EncodedBytes bytes) {
        this.bytes = bytes;
    }

    /** Takes the frame header whose length is at the position. */
    void frame(ImageHeader header, long at, int marker) {
        image = header;
        progressive = marker == PROGRESSIVE;
        int count = bytes.u8(at + 7);
        boolean read = marker == BASELINE || marker == EXTENDED || marker == PROGRESSIVE;
        if (!read || bytes.u8(at + 2) != 8) {
            throw bytes.unsupported(header + (read ? " with " + bytes.u8(at + 2) + " bits a sample"
                    : " with arithmetic coding, or lossless,")
                    + " is not supported: save it as a baseline or progressive JPEG");
        }
        if (count < 1 || count > MOST_COMPONENTS) {
            throw bytes.damaged(header + " has " + count + " components");
        }
        for (int i = 0; i < count; i++) {
            int sampling = bytes.u8(at + 9 + 3L * i);
            if (sampling >> 4 < 1 || sampling >> 4 > 4 || (sampling & 15) < 1 || (sampling & 15) > 4) {
                throw bytes.damaged("JPEG component " + (i + 1) + " has the sampling factors " + (sampling >> 4) + "x"
                        + (sampling & 15));
            }
            acrossMost = Math.max(acrossMost, sampling >> 4);
            downMost = Math.max(downMost, sampling & 15);
        }
        for (int i = 0; i < count; i++) {
            int sampling = bytes.u8(at + 9 + 3L * i);
            components.add(component(bytes.u8(at + 8 + 3L * i), sampling >> 4, sampling & 15));
        }
    }

    private Component component(int id, int across, int down) {
        int stride = unitsWide() * across;
        return new Component(id, across, down, ceil(image.width() * across, 8L * acrossMost),
                ceil(image.height() * down, 8L * downMost), stride,
                progressive ? new long[stride * unitsHigh() * down] : null);
    }

    private int unitsWide() {
        return ceil(image.width(), 8L * acrossMost);
    }

    private int unitsHigh() {
        return ceil(image.height(), 8L * downMost);
    }

    private static int ceil(long value, long divisor) {
        return (int) ((value + divisor - 1) / divisor);
    }

    /** Takes the tables of a DHT segment, whose length is at the position. */
    void tables(long at, int length) {
        long end = at + length;
        long next = at + 2;
        while (next < end) {
            if (next + 17 > end) {
                throw bytes.damaged("JPEG Huffman table at byte " + next + " is longer than its segment");
            }
            int slot = bytes.u8(next);
            int[] counts = new int[16];
            int sum = 0;
            for (int i = 0; i < counts.length; i++) {
                counts[i] = bytes.u8(next + 1 + i);
                sum += counts[i];
            }
            if ((slot & ~0x13) != 0 || sum > 256 || next + 17 + sum > end) {
                throw bytes.damaged("JPEG Huffman table at byte " + next + " is none");
            }
            try {
                (slot >> 4 == 0 ? dc : ac)[slot & 3] = new JpegHuffmanTable(counts, bytes.copy(next + 17, sum));
            } catch (IllegalArgumentException e) {
                throw bytes.damaged("JPEG Huffman table at byte " + next + ": " + e.getMessage());
            }
            next += 17 + sum;
        }
    }

    /** Takes the restart interval of a DRI segment, whose length is at the position. */
    void restartInterval(long at, int length) {
        if (length != 4) {
            throw bytes.damaged("JPEG restart interval of " + length + " bytes");
        }
        restartInterval = bytes.u16Big(at + 2);
    }

    /**
     * Reads a scan.
     *
     * @param header position of the scan header's length
     * @param from first byte of its data
     * @param to the marker behind them, or the end of the file
     * @throws dev.shrike.SourceException if blocks lack data, or the data cannot be decoded
     */
    void scan(long header, long from, long to) {
        String lacking = to < bytes.size() ? image + " lacks a part of its data"
                : image + " ends inside its image data, without an end-of-image marker";
        Scan scan = header(header, new JpegScanBits(bytes, from, to, lacking,
                image + " has data that cannot be decoded"));
        endOfBandRun = 0;
        if (scan.parts().size() == 1) {
            single(scan, scan.parts().getFirst());
        } else {
            interleaved(scan);
        }
        excess.addAll(scan.bits().end());
    }

    /** Bytes that no block wanted, in the order of the file. */
    List<ImageHeader.Excess> excess() {
        return excess;
    }

    private Scan header(long at, JpegScanBits bits) {
        int count = bytes.u8(at + 2);
        long band = at + 3 + 2L * count;
        int first = progressive ? bytes.u8(band) : 0;
        int last = progressive ? bytes.u8(band + 1) : BLOCK - 1;
        int high = progressive ? bytes.u8(band + 2) >> 4 : 0;
        boolean sound = first == 0 ? !progressive || last == 0 : last >= first && last < BLOCK && count == 1;
        if (!sound || count < 1 || count > components.size()) {
            throw bytes.damaged("JPEG scan at byte " + at + " has " + count + " components and the coefficients "
                    + first + " to " + last);
        }
        List<Part> parts = new ArrayList<>();
        int blocks = 0;
        for (int i = 0; i < count; i++) {
            int id = bytes.u8(at + 3 + 2L * i);
            int slots = bytes.u8(at + 4 + 2L * i);
            Component component = components.stream().filter(each -> each.id() == id).findFirst().orElseThrow(
                    () -> bytes.damaged("JPEG scan at byte " + at + " has the unknown component " + id));
            blocks += component.across() * component.down();
            boolean needsDc = first == 0 && high == 0;
            boolean needsAc = !progressive || first > 0;
            parts.add(new Part(component, needsDc ? table(false, slots >> 4, at) : null,
                    needsAc ? table(true, slots & 15, at) : null));
        }
        if (count > 1 && blocks > MOST_BLOCKS) {
            throw bytes.damaged("JPEG scan at byte " + at + " has units of " + blocks + " blocks");
        }
        return new Scan(parts, first, last, high != 0, bits);
    }

    private JpegHuffmanTable table(boolean forAc, int slot, long at) {
        JpegHuffmanTable found = slot > 3 ? null : (forAc ? ac : dc)[slot];
        if (found == null && slot < 2 && !progressive) {
            found = JpegHuffmanTable.usual(forAc, slot);
        }
        if (found == null || !forAc && found.exceeds(15)) {
            throw bytes.damaged("JPEG scan at byte " + at + " has no sound Huffman table " + slot);
        }
        return found;
    }

    private void single(Scan scan, Part part) {
        Component component = part.component();
        int left = restartInterval;
        for (int y = 0; y < component.blocksHigh(); y++) {
            for (int x = 0; x < component.blocksWide(); x++) {
                left = restart(scan, left);
                block(scan, part, y * component.stride() + x);
            }
        }
    }

    private void interleaved(Scan scan) {
        int left = restartInterval;
        for (int y = 0; y < unitsHigh(); y++) {
            for (int x = 0; x < unitsWide(); x++) {
                left = restart(scan, left);
                for (Part part : scan.parts()) {
                    unit(scan, part, x, y);
                }
            }
        }
    }

    private void unit(Scan scan, Part part, int x, int y) {
        Component component = part.component();
        for (int v = 0; v < component.down(); v++) {
            int row = (y * component.down() + v) * component.stride() + x * component.across();
            for (int h = 0; h < component.across(); h++) {
                block(scan, part, row + h);
            }
        }
    }

    /** Goes to the next segment if the present one has no units left; how many are left after the next unit. */
    private int restart(Scan scan, int left) {
        if (restartInterval == 0) {
            return 0;
        }
        if (left > 0) {
            return left - 1;
        }
        scan.bits().restart();
        endOfBandRun = 0;
        return restartInterval - 1;
    }

    private void block(Scan scan, Part part, int block) {
        if (!progressive) {
            scan.bits().skip(scan.bits().symbol(part.dc()));
            sequential(scan.bits(), part.ac());
        } else if (scan.first() == 0) {
            scan.bits().skip(scan.refines() ? 1 : scan.bits().symbol(part.dc()));
        } else if (scan.refines()) {
            refined(scan, part, block);
        } else {
            band(scan, part, block);
        }
    }

    private static void sequential(JpegScanBits bits, JpegHuffmanTable table) {
        for (int k = 1; k < BLOCK; k++) {
            int symbol = bits.symbol(table);
            int size = symbol & 15;
            if (size == 0 && symbol != 0xf0) {
                return;
            }
            k += symbol >> 4;
            bits.skip(size);
        }
    }

    /** The first bits of a band of coefficients (G.1.2.2). */
    private void band(Scan scan, Part part, int block) {
        if (endOfBandRun > 0) {
            endOfBandRun--;
            return;
        }
        JpegScanBits bits = scan.bits();
        for (int k = scan.first(); k <= scan.last(); k++) {
            int symbol = bits.symbol(part.ac());
            int size = symbol & 15;
            int run = symbol >> 4;
            if (size == 0 && run < 15) {
                endOfBandRun = (1 << run) - 1 + bits.bits(run);
                return;
            }
            k += run;
            bits.skip(size);
            if (size > 0 && k < BLOCK) {
                part.component().nonzero()[block] |= 1L << k;
            }
        }
    }

    /** One more bit of a band of coefficients (G.1.2.3): for each that is not 0, and signs of new ones. */
    private void refined(Scan scan, Part part, int block) {
        JpegScanBits bits = scan.bits();
        long known = part.component().nonzero()[block];
        long fresh = 0;
        int k = scan.first();
        for (; endOfBandRun == 0 && k <= scan.last(); k++) {
            int symbol = bits.symbol(part.ac());
            int size = symbol & 15;
            int run = symbol >> 4;
            if (size > 1) {
                throw bits.damaged();
            }
            bits.skip(size);
            if (size == 0 && run < 15) {
                endOfBandRun = (1 << run) + bits.bits(run);
                break;
            }
            for (; k <= scan.last(); k++) {
                if ((known >>> k & 1) != 0) {
                    bits.skip(1);
                } else if (--run < 0) {
                    break;
                }
            }
            if (size > 0 && k < BLOCK) {
                fresh |= 1L << k;
            }
        }
        if (endOfBandRun > 0) {
            if (k <= scan.last()) {
                bits.skip(Long.bitCount(known & -1L << k & -1L >>> BLOCK - 1 - scan.last()));
            }
            endOfBandRun--;
        }
        part.component().nonzero()[block] = known | fresh;
    }
}
