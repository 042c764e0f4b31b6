package dev.shrike.vision;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Frames from images of Java, and back. Needs no library. */
public final class BufferedImages {
    private static final int CHANNELS = 3;

    private BufferedImages() {}

    /**
     * A BGR frame with memory of its own, from an image of any type. Transparency is dropped: a pixel keeps its colour.
     */
    public static Frame toFrame(BufferedImage image) {
        Frame frame = Frame.allocate(image.getWidth(), image.getHeight());
        int width = image.getWidth();
        int[] colours = new int[width];
        byte[] row = new byte[CHANNELS * width];
        for (int y = 0; y < image.getHeight(); y++) {
            image.getRGB(0, y, width, 1, colours, 0, width);
            for (int x = 0; x < width; x++) {
                row[CHANNELS * x] = (byte) colours[x];
                row[CHANNELS * x + 1] = (byte) (colours[x] >> 8);
                row[CHANNELS * x + 2] = (byte) (colours[x] >> 16);
            }
            MemorySegment.copy(row, 0, frame.pixels(), ValueLayout.JAVA_BYTE, (long) y * row.length, row.length);
        }
        return frame;
    }

    /**
     * An image of {@link BufferedImage#TYPE_3BYTE_BGR} with a copy of the frame.
     *
     * @throws dev.shrike.SourceException if the frame is {@link PixelFormat#MJPEG} and its bytes are no sound JPEG
     */
    public static BufferedImage toImage(Frame frame) {
        Frame bgr = Images.bgr(frame);
        BufferedImage image = new BufferedImage(bgr.width(), bgr.height(), BufferedImage.TYPE_3BYTE_BGR);
        byte[] pixels = ((DataBufferByte) image.getRaster().getDataBuffer()).getData();
        MemorySegment.copy(Images.live(bgr), ValueLayout.JAVA_BYTE, 0, pixels, 0, pixels.length);
        return image;
    }
}
