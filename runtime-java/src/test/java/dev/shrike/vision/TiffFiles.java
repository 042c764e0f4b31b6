package dev.shrike.vision;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** TIFF files of one strip a page without compression, in either byte order. */
final class TiffFiles {
    private final ByteOrder order;
    private final List<byte[]> pages = new ArrayList<>();

    private TiffFiles(ByteOrder order) {
        this.order = order;
    }

    /** The gradient of {@link SampleImages} with 8 bits and an orientation. */
    static byte[] gradient(ByteOrder order, int width, int height, int orientation) {
        TiffFiles file = new TiffFiles(order);
        file.page(width, height, 3, 8, 2, orientation, pixels(width, height));
        return file.bytes();
    }

    /** The gradient with 16 bits. */
    static byte[] rgb16(int width, int height) {
        ByteBuffer deep = ByteBuffer.allocate(6 * width * height);
        for (byte level : pixels(width, height)) {
            deep.put(level).put(level);
        }
        TiffFiles file = new TiffFiles(ByteOrder.BIG_ENDIAN);
        file.page(width, height, 3, 16, 2, 1, deep.array());
        return file.bytes();
    }

    /** A grey page. */
    static byte[] grey(int width, int height, int level) {
        byte[] pixels = new byte[width * height];
        java.util.Arrays.fill(pixels, (byte) level);
        TiffFiles file = new TiffFiles(ByteOrder.LITTLE_ENDIAN);
        file.page(width, height, 1, 8, 1, 1, pixels);
        return file.bytes();
    }

    /** Inks without any but magenta and yellow, so red. */
    static byte[] cmykRed(int width, int height) {
        ByteBuffer inks = ByteBuffer.allocate(4 * width * height);
        while (inks.hasRemaining()) {
            inks.put((byte) 0).put((byte) 255).put((byte) 255).put((byte) 0);
        }
        TiffFiles file = new TiffFiles(ByteOrder.LITTLE_ENDIAN);
        file.page(width, height, 4, 8, 5, 1, inks.array());
        return file.bytes();
    }

    /** Floats, which are not read. */
    static byte[] floats(int width, int height) {
        TiffFiles file = new TiffFiles(ByteOrder.LITTLE_ENDIAN);
        file.page(width, height, 1, 32, 1, 1, new byte[4 * width * height]);
        return file.bytes();
    }

    /** A gradient of 8x6, then smaller pages. */
    static byte[] pages(int count) {
        TiffFiles file = new TiffFiles(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            int width = i == 0 ? 8 : 3;
            file.page(width, 6, 3, 8, 2, 1, pixels(width, 6));
        }
        return file.bytes();
    }

    /** RGB. */
    private static byte[] pixels(int width, int height) {
        byte[] pixels = new byte[3 * width * height];
        for (int i = 0; i < width * height; i++) {
            int x = i % width;
            int y = i / width;
            pixels[3 * i] = (byte) (255 * x / Math.max(1, width - 1));
            pixels[3 * i + 1] = (byte) (255 * y / Math.max(1, height - 1));
            pixels[3 * i + 2] = 40;
        }
        return pixels;
    }

    private int size() {
        return 8 + pages.stream().mapToInt(page -> page.length).sum();
    }

    /** Pixels, the depths of the samples, then the directory, whose last four bytes name the next one. */
    private void page(int width, int height, int samples, int bits, int kind, int orientation, byte[] pixels) {
        int at = size();
        int depths = at + pixels.length + (pixels.length & 1);
        ByteBuffer page = ByteBuffer.allocate(depths - at + 8 + 2 + 11 * 12 + 4).order(order);
        page.put(pixels).position(depths - at);
        for (int i = 0; i < 4; i++) {
            page.putShort((short) bits);
        }
        page.putShort((short) 11);
        entry(page, 0x100, 4, 1, width);
        entry(page, 0x101, 4, 1, height);
        if (samples > 2) {
            entry(page, 0x102, 3, samples, depths);
        } else {
            entry(page, 0x102, 3, 1, bits);
        }
        entry(page, 0x103, 3, 1, 1);
        entry(page, 0x106, 3, 1, kind);
        entry(page, 0x111, 4, 1, at);
        entry(page, 0x112, 3, 1, orientation);
        entry(page, 0x115, 3, 1, samples);
        entry(page, 0x116, 4, 1, height);
        entry(page, 0x117, 4, 1, pixels.length);
        entry(page, 0x11c, 3, 1, 1);
        pages.add(page.array());
    }

    private static void entry(ByteBuffer page, int tag, int type, int count, int value) {
        page.putShort((short) tag).putShort((short) type).putInt(count);
        if (type == 3 && count == 1) {
            page.putShort((short) value).putShort((short) 0);
        } else {
            page.putInt(value);
        }
    }

    private byte[] bytes() {
        int directory = 11 * 12 + 2 + 4;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteBuffer header = ByteBuffer.allocate(8).order(order);
        header.putShort((short) (order == ByteOrder.LITTLE_ENDIAN ? 0x4949 : 0x4d4d)).putShort((short) 42);
        int end = 8 + pages.getFirst().length;
        out.writeBytes(header.putInt(end - directory).array());
        for (int i = 0; i < pages.size(); i++) {
            byte[] page = pages.get(i);
            if (i + 1 < pages.size()) {
                end += pages.get(i + 1).length;
                ByteBuffer.wrap(page).order(order).putInt(page.length - 4, end - directory);
            }
            out.writeBytes(page);
        }
        return out.toByteArray();
    }
}
