package dev.shrike.jetson;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.jetson.engine.Digests;
import dev.shrike.vision.LetterboxTransform;
import dev.shrike.vision.Preprocessing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/**
 * A frame of noise that is fitted into an input, the same on every machine: what the letterbox of the processor gives
 * where the suite is packed is what the kernel must give where it runs.
 *
 * @param padding bytes after each row of the frame
 * @param region whether only a part of the frame is taken
 */
record LetterboxCase(PixelFormat format, int width, int height, int padding, boolean region, Preprocessing how,
        int inputWidth, int inputHeight) {
    /** Halved, doubled, of the same size, of one pixel, of odd sizes, and what cameras give. */
    private static final int[][] SIZES = {{64, 64}, {128, 128}, {1280, 1280}, {1, 1}, {1, 200}, {63, 41}, {97, 311},
            {640, 480}, {1920, 1080}, {32, 32}};
    private static final int[][] INPUTS = {{64, 64}, {96, 64}, {640, 640}};

    /** All of them, in order. */
    static List<LetterboxCase> all() {
        List<LetterboxCase> cases = new ArrayList<>();
        for (int[] input : INPUTS) {
            for (Preprocessing how : Preprocessing.values()) {
                for (PixelFormat format : PixelFormat.values()) {
                    if (format == PixelFormat.MJPEG) {
                        continue;
                    }
                    for (int i = 0; i < SIZES.length; i++) {
                        cases.add(new LetterboxCase(format, SIZES[i][0], SIZES[i][1], i % 4, i % 3 == 2, how,
                                input[0], input[1]));
                    }
                }
            }
        }
        return cases;
    }

    /** What tells it from the others. */
    String name() {
        return format + "-" + width + "x" + height + "+" + padding + (region ? "-part-" : "-") + how + "-" + inputWidth
                + "x" + inputHeight;
    }

    /** Floats of the input. */
    long floats() {
        return 3L * inputWidth * inputHeight;
    }

    Frame frame() {
        int stride = Frame.allocate(format, width, height, "").stride() + padding;
        byte[] bytes = new byte[2 * (stride + 1) * (height + 2)];
        new Random(name().hashCode()).nextBytes(bytes);
        MemorySegment memory = Arena.ofAuto().allocate(bytes.length);
        MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return new Frame(format, width, height, stride, memory, "");
    }

    LetterboxTransform transform() {
        if (!region) {
            return LetterboxTransform.of(width, height, inputWidth, inputHeight, how);
        }
        Random random = new Random(name().hashCode() + 1);
        int partWidth = 1 + random.nextInt(width);
        int partHeight = 1 + random.nextInt(height);
        return LetterboxTransform.of(partWidth, partHeight, inputWidth, inputHeight, how)
                .at(random.nextInt(width - partWidth + 1), random.nextInt(height - partHeight + 1));
    }

    /** SHA-256 of the levels 0 to 255 in the input; the division by 255 may differ in the last bit of a float. */
    String digest(MemorySegment input) {
        byte[] levels = new byte[Math.toIntExact(floats())];
        float most = how == Preprocessing.YOLO ? 255 : 1;
        for (int i = 0; i < levels.length; i++) {
            float value = most * input.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            if (!(value > -0.5f && value < 255.5f) || Math.abs(value - Math.round(value)) > 1e-3f) {
                return value + " at element " + i + " is no level";
            }
            levels[i] = (byte) Math.round(value);
        }
        MessageDigest digest = Digests.sha256();
        digest.update(levels);
        return HexFormat.of().formatHex(digest.digest());
    }
}
