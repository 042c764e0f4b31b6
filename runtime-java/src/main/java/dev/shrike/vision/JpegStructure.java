package dev.shrike.vision;

/** Walks the markers of a JPEG file (ITU-T T.81, annex B) from start to end of image. */
final class JpegStructure {
    private static final int END_OF_IMAGE = 0xd9;
    private static final int START_OF_SCAN = 0xda;
    private static final int HUFFMAN_TABLES = 0xc4;
    private static final int RESTART_INTERVAL = 0xdd;

    /** A progressive image has about ten scans; a file of thousands is made to keep the decoder busy. */
    private static final int MAX_SCANS = 256;

    private JpegStructure() {}

    static ImageHeader check(EncodedBytes bytes) {
        ImageHeader header = null;
        JpegScans coefficients = null;
        JpegEntropyCheck data = new JpegEntropyCheck(bytes);
        int scans = 0;
        long at = 2;
        while (true) {
            if (coefficients != null && coefficients.areComplete() && isOver(bytes, at)) {
                return withoutEnd(bytes, header, data);
            }
            at = marker(bytes, at);
            int marker = bytes.u8(at);
            at++;
            if (marker == END_OF_IMAGE) {
                break;
            }
            if (isStandalone(marker)) {
                continue;
            }
            int length = bytes.u16Big(at);
            if (length < 2) {
                throw bytes.damaged("JPEG segment at byte " + at + " has the length " + length);
            }
            bytes.need(at, length);
            if (isFrameHeader(marker)) {
                if (header != null) {
                    throw bytes.damaged("JPEG has a second frame header at byte " + at);
                }
                header = frameHeader(bytes, at, length);
                coefficients = new JpegScans(bytes, at, length, marker);
                data.frame(header, at, marker);
            } else if (marker == HUFFMAN_TABLES) {
                data.tables(at, length);
            } else if (marker == RESTART_INTERVAL) {
                data.restartInterval(at, length);
            }
            at += length;
            if (marker == START_OF_SCAN) {
                if (header == null) {
                    throw bytes.damaged("JPEG scan at byte " + at + " comes before the frame header");
                }
                if (++scans > MAX_SCANS) {
                    throw bytes.damaged("JPEG has more than " + MAX_SCANS + " scans");
                }
                coefficients.add(at - length, length);
                long from = at;
                at = endOfScan(bytes, from);
                if (at < 0) {
                    if (coefficients.areComplete()) {
                        requireNoZeros(bytes);
                        data.scan(from - length, from, bytes.size());
                        return withoutEnd(bytes, header, data);
                    }
                    throw bytes.truncated("JPEG ends inside its image data, without an end-of-image marker");
                }
                data.scan(from - length, from, at);
            }
        }
        if (header == null || scans == 0) {
            throw bytes.damaged("JPEG holds no image");
        }
        return data.excess().isEmpty() ? header : header.of(new ImageHeader.Mended(data.excess(), false));
    }

    /** Position of the code of the marker that must come next; any number of fill bytes may lie before it. */
    private static long marker(EncodedBytes bytes, long from) {
        long at = from;
        while (at < bytes.size() && bytes.u8(at) == 0xff) {
            at++;
        }
        if (at >= bytes.size()) {
            throw bytes.truncated("JPEG ends without its end-of-image marker");
        }
        if (at == from || bytes.u8(at) == 0) {
            throw bytes.damaged("JPEG has no marker at byte " + from);
        }
        return at;
    }

    /** The header of a file that has every scan and no end marker. */
    private static ImageHeader withoutEnd(EncodedBytes bytes, ImageHeader header, JpegEntropyCheck data) {
        requireNoZeros(bytes);
        // Without its end nothing else may be missing or left over.
        if (!data.excess().isEmpty()) {
            throw bytes.truncated(header + " ends inside its image data, without an end-of-image marker");
        }
        return header.of(new ImageHeader.Mended(data.excess(), true));
    }

    private static void requireNoZeros(EncodedBytes bytes) {
        // Space on a disk that was never written: zeros are valid data to a decoder, but data are filled up with ones.
        if (bytes.u8(bytes.size() - 1) == 0 && bytes.u8(bytes.size() - 2) == 0) {
            throw bytes.truncated("JPEG ends in zeros, without an end-of-image marker");
        }
    }

    /** Whether nothing but fill bytes follows. */
    private static boolean isOver(EncodedBytes bytes, long from) {
        long at = from;
        while (at < bytes.size() && bytes.u8(at) == 0xff) {
            at++;
        }
        return at >= bytes.size();
    }

    /**
     * Position of the marker that ends entropy-coded data, or -1 if the file ends first; stuffed zeros and restart
     * markers belong to the data.
     */
    private static long endOfScan(EncodedBytes bytes, long from) {
        long at = from;
        while (true) {
            at = bytes.indexOf(0xff, at);
            if (at < 0 || at + 1 >= bytes.size()) {
                return -1;
            }
            int code = bytes.u8(at + 1);
            if (code == 0 || code >= 0xd0 && code <= 0xd7) {
                at += 2;
            } else if (code == 0xff) {
                at++;
            } else {
                return at;
            }
        }
    }

    /** Restart markers, start of image and TEM have no length. */
    private static boolean isStandalone(int marker) {
        return marker >= 0xd0 && marker <= 0xd8 || marker == 0x01;
    }

    /** SOF0 to SOF15 without the tables that share the range (DHT, JPG, DAC). */
    private static boolean isFrameHeader(int marker) {
        return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    }

    private static ImageHeader frameHeader(EncodedBytes bytes, long at, int length) {
        if (length < 8) {
            throw bytes.damaged("JPEG frame header of " + length + " bytes");
        }
        int height = bytes.u16Big(at + 3);
        int width = bytes.u16Big(at + 5);
        return bytes.header(ImageHeader.Format.JPEG, width, height);
    }
}
