package dev.shrike.sources;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;

/** Writes AVI files of JPEG frames (Microsoft's RIFF AVI, without an index), as cameras record them. */
final class MjpegVideo {
    private static final int RATE = 10;

    private MjpegVideo() {}

    /** A JPEG of noise. */
    static byte[] frame(int width, int height, long seed) throws IOException {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
        Random random = new Random(seed);
        for (int i = 0; i < width * height; i++) {
            image.setRGB(i % width, i / width, random.nextInt(1 << 24));
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "jpg", out);
        return out.toByteArray();
    }

    /** Writes frames of one size, ten a second. */
    static Path write(Path file, int width, int height, List<byte[]> frames) throws IOException {
        byte[] main = ints(1_000_000 / RATE, 0, 0, 0, frames.size(), 0, 1, 0, width, height, 0, 0, 0, 0);
        byte[] stream = join("vidsMJPG".getBytes(StandardCharsets.US_ASCII),
                ints(0, 0, 0, 1, RATE, 0, frames.size(), 0, -1, 0, 0, 0));
        byte[] format = join(ints(40, width, height, 1 | 24 << 16), "MJPG".getBytes(StandardCharsets.US_ASCII),
                ints(3 * width * height, 0, 0, 0, 0));
        ByteArrayOutputStream movie = new ByteArrayOutputStream();
        for (byte[] frame : frames) {
            movie.writeBytes(chunk("00dc", frame));
        }
        byte[] headers = list("hdrl", chunk("avih", main),
                list("strl", chunk("strh", stream), chunk("strf", format)));
        byte[] content = join("AVI ".getBytes(StandardCharsets.US_ASCII), headers, list("movi", movie.toByteArray()));
        return Files.write(file, chunk("RIFF", content));
    }

    private static byte[] list(String type, byte[]... parts) {
        return chunk("LIST", join(type.getBytes(StandardCharsets.US_ASCII), join(parts)));
    }

    private static byte[] chunk(String type, byte[] body) {
        return join(type.getBytes(StandardCharsets.US_ASCII), ints(body.length), body, new byte[body.length & 1]);
    }

    private static byte[] ints(int... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(values);
        return bytes.array();
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }
}
