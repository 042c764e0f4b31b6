package dev.shrike.vision;

import dev.shrike.Frame;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32;

/** Small images made for tests, and encoded files made of them. */
final class SampleImages {
    private SampleImages() {}

    /** A smooth image whose corners differ: red grows to the right, green downwards, blue is 40. */
    static Frame gradient(int width, int height) {
        Frame frame = Frame.allocate(width, height);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                long at = 3L * (y * width + x);
                frame.pixels().set(ValueLayout.JAVA_BYTE, at, (byte) 40);
                frame.pixels().set(ValueLayout.JAVA_BYTE, at + 1, (byte) (255 * y / Math.max(1, height - 1)));
                frame.pixels().set(ValueLayout.JAVA_BYTE, at + 2, (byte) (255 * x / Math.max(1, width - 1)));
            }
        }
        return frame;
    }

    /** The gradient as a file of the format named by the extension. */
    static byte[] encoded(String extension, int width, int height) {
        OpenCvLibrary.require();
        return OpenCv.encode(gradient(width, height).pixels(), width, height, extension, "sample" + extension);
    }

    /** The gradient as a lossy WebP; OpenCV writes lossless ones unless asked. */
    static byte[] lossyWebp(int width, int height) {
        OpenCvLibrary.require();
        int quality = 64; // IMWRITE_WEBP_QUALITY
        return OpenCv.encode(gradient(width, height).pixels(), width, height, ".webp", "lossy.webp", quality, 80);
    }

    static Frame decode(byte[] bytes, String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(Math.max(1, bytes.length), 16);
            MemorySegment.copy(MemorySegment.ofArray(bytes), 0, memory, 0, bytes.length);
            return Images.decode(memory.asSlice(0, bytes.length), name);
        }
    }

    /** Level of one channel, 0 blue, 1 green, 2 red. */
    static int level(Frame frame, int x, int y, int channel) {
        return frame.pixels().get(ValueLayout.JAVA_BYTE, 3L * (y * frame.width() + x) + channel) & 255;
    }

    /** The JPEG with an EXIF block that holds an orientation and nothing else. */
    static byte[] withOrientation(byte[] jpeg, int orientation) {
        byte[] exif = exif(orientation);
        ByteBuffer segment = ByteBuffer.allocate(10 + exif.length);
        segment.put((byte) 0xff).put((byte) 0xe1).putShort((short) (8 + exif.length));
        segment.put("Exif\0\0".getBytes(StandardCharsets.US_ASCII)).put(exif);
        return spliced(jpeg, 2, segment.array());
    }

    /** The body of an EXIF block that holds an orientation and nothing else. */
    static byte[] exif(int orientation) {
        ByteBuffer exif = ByteBuffer.allocate(26);
        exif.put("MM\0*".getBytes(StandardCharsets.US_ASCII)).putInt(8).putShort((short) 1);
        exif.putShort((short) 0x0112).putShort((short) 3).putInt(1).putShort((short) orientation).putShort((short) 0);
        return exif.putInt(0).array();
    }

    /** The PNG with another chunk behind its header. */
    static byte[] withChunk(byte[] png, String type, byte[] body) {
        ByteBuffer chunk = ByteBuffer.allocate(12 + body.length);
        chunk.putInt(body.length).put(type.getBytes(StandardCharsets.US_ASCII)).put(body);
        return spliced(png, 33, repairChecksum(chunk.array(), 0));
    }

    /** The bytes with others put in at a position. */
    static byte[] spliced(byte[] bytes, int at, byte[] inserted) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(bytes, 0, at);
        out.writeBytes(inserted);
        out.write(bytes, at, bytes.length - at);
        return out.toByteArray();
    }

    /** A PNG whose header says another size, with a checksum that fits. */
    static byte[] pngOfSize(int width, int height) {
        byte[] png = encoded(".png", 2, 2);
        ByteBuffer.wrap(png).putInt(16, width).putInt(20, height);
        return repairChecksum(png, 8);
    }

    /** Writes the checksum that fits the chunk at the position. */
    static byte[] repairChecksum(byte[] png, int at) {
        int length = ByteBuffer.wrap(png).getInt(at);
        CRC32 crc = new CRC32();
        crc.update(png, at + 4, length + 4);
        ByteBuffer.wrap(png).putInt(at + 8 + length, (int) crc.getValue());
        return png;
    }

    /** Position of a run of bytes. */
    static int indexOf(byte[] bytes, int... wanted) {
        for (int at = 0; at + wanted.length <= bytes.length; at++) {
            int same = 0;
            while (same < wanted.length && (bytes[at + same] & 255) == wanted[same]) {
                same++;
            }
            if (same == wanted.length) {
                return at;
            }
        }
        throw new AssertionError("not found");
    }
}
