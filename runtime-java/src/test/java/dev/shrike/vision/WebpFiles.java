package dev.shrike.vision;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** WebP files in the extended form (RFC 9649), made of a still image in the simple one. */
final class WebpFiles {
    private static final int EXIF = 8;
    private static final int ANIMATION = 2;

    private WebpFiles() {}

    /** The image with an EXIF block. */
    static byte[] withExif(byte[] still, int width, int height, byte[] exif) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.writeBytes(canvas(EXIF, width, height));
        body.writeBytes(image(still));
        body.writeBytes(chunk("EXIF", exif));
        return container(body.toByteArray());
    }

    /** An animation on a canvas of this size: the image at an even place, then smaller ones. */
    static byte[] animated(byte[] still, int width, int height, int x, int y, int frames) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.writeBytes(canvas(ANIMATION, width, height));
        body.writeBytes(chunk("ANIM", new byte[6]));
        for (int i = 0; i < frames; i++) {
            byte[] shown = i == 0 ? still : SampleImages.encoded(".webp", 2, 2);
            ImageHeader header = WebpStructure.check(bytes(shown));
            ByteBuffer frame = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
            put24(frame, x / 2);
            put24(frame, y / 2);
            put24(frame, (int) header.width() - 1);
            put24(frame, (int) header.height() - 1);
            put24(frame, 100);
            byte[] image = image(shown);
            byte[] whole = Arrays.copyOf(frame.array(), 16 + image.length);
            System.arraycopy(image, 0, whole, 16, image.length);
            body.writeBytes(chunk("ANMF", whole));
        }
        return container(body.toByteArray());
    }

    private static EncodedBytes bytes(byte[] file) {
        return new EncodedBytes(java.lang.foreign.Arena.ofAuto().allocateFrom(
                java.lang.foreign.ValueLayout.JAVA_BYTE, file), "still", 1000);
    }

    private static byte[] canvas(int flags, int width, int height) {
        ByteBuffer body = ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN).putInt(flags);
        put24(body, width - 1);
        put24(body, height - 1);
        return chunk("VP8X", body.array());
    }

    private static void put24(ByteBuffer buffer, int value) {
        buffer.putShort((short) value).put((byte) (value >> 16));
    }

    /** The chunk of the image, without its container. */
    private static byte[] image(byte[] still) {
        return Arrays.copyOfRange(still, 12, still.length);
    }

    private static byte[] chunk(String type, byte[] body) {
        ByteBuffer chunk = ByteBuffer.allocate(8 + body.length + (body.length & 1)).order(ByteOrder.LITTLE_ENDIAN);
        return chunk.put(type.getBytes(StandardCharsets.US_ASCII)).putInt(body.length).put(body).array();
    }

    private static byte[] container(byte[] body) {
        ByteBuffer file = ByteBuffer.allocate(12 + body.length).order(ByteOrder.LITTLE_ENDIAN);
        file.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(4 + body.length);
        return file.put("WEBP".getBytes(StandardCharsets.US_ASCII)).put(body).array();
    }
}
