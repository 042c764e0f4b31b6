package dev.shrike.cpu.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.cpu.CpuBackend;
import dev.shrike.cpu.EngineBits;
import dev.shrike.cpu.binding.NativeHeaders;
import dev.shrike.spi.Binding;
import dev.shrike.spi.LetterboxParams;
import dev.shrike.vision.Letterbox;
import dev.shrike.vision.LetterboxTransform;
import dev.shrike.vision.Preprocessing;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The input that libshrike writes in one pass is the one that OpenCV gives in several, bit for bit. */
class FrameInputTest {
    private static final int[][] SIZES =
            {{64, 48}, {1, 1}, {1, 60}, {60, 1}, {640, 360}, {333, 251}, {128, 96}, {96, 64},
                    {192, 128}, {33, 17}, {641, 480}, {300, 1000}, {48, 32}};

    /** How the floats of an input lie. */
    private enum Memory {
        PLANAR, CHANNELS_LAST, PADDED
    }

    @ParameterizedTest
    @EnumSource(names = "MJPEG", mode = EnumSource.Mode.EXCLUDE)
    void equalsOpenCv(PixelFormat format) {
        Random random = new Random(100 + format.ordinal());
        for (Memory memory : Memory.values()) {
            try (Arena arena = Arena.ofShared(); Context context = new Context(1 + memory.ordinal())) {
                Binding expected = binding(arena, memory);
                Binding actual = binding(arena, memory);
                FrameInput input = FrameInput.of(CpuBackend.library(), context.address, arena, List.of(actual));
                for (Preprocessing how : Preprocessing.values()) {
                    try (Letterbox letterbox = new Letterbox(expected, how)) {
                        for (int[] size : SIZES) {
                            Frame frame = noise(format, size[0], size[1], random.nextInt(9), random);
                            for (int part = 0; part < 3; part++) {
                                LetterboxTransform transform = part == 0
                                        ? LetterboxTransform.of(size[0], size[1], 96, 64, how)
                                        : part(frame, how, random);
                                expected.memory().fill((byte) 1);
                                actual.memory().fill((byte) 1);
                                letterbox.apply(frame, transform);
                                assertTrue(input.accept(frame, transform.params(how, 96, 64)));
                                requireSame(expected, actual, memory, format + " " + transform);
                            }
                        }
                    }
                }
            }
        }
    }

    private static LetterboxTransform part(Frame frame, Preprocessing how, Random random) {
        int width = 1 + random.nextInt(frame.width());
        int height = 1 + random.nextInt(frame.height());
        return LetterboxTransform.of(width, height, 96, 64, how)
                .at(random.nextInt(frame.width() - width + 1), random.nextInt(frame.height() - height + 1));
    }

    /** Every size of a frame from 1 to 200 in an input of one row of blocks. */
    @Test
    void equalsOpenCvForEveryWidth() {
        Random random = new Random(5);
        try (Arena arena = Arena.ofShared(); Context context = new Context(1)) {
            Binding expected = binding(arena, Memory.PLANAR);
            Binding actual = binding(arena, Memory.PLANAR);
            FrameInput input = FrameInput.of(CpuBackend.library(), context.address, arena, List.of(actual));
            try (Letterbox letterbox = new Letterbox(expected)) {
                for (int side = 1; side <= 200; side++) {
                    Frame frame = noise(PixelFormat.BGR, side, 1 + random.nextInt(200), 0, random);
                    LetterboxTransform transform = letterbox.apply(frame);
                    assertTrue(input.accept(frame, transform.params(Preprocessing.YOLO, 96, 64)));
                    requireSame(expected, actual, Memory.PLANAR, transform.toString());
                }
            }
        }
    }

    /** The formula of OpenCV multiplies, that of elements written one by one divides: that may move a last bit. */
    private static void requireSame(Binding expected, Binding actual, Memory memory, String what) {
        float[] a = expected.memory().toArray(ValueLayout.JAVA_FLOAT);
        float[] b = actual.memory().toArray(ValueLayout.JAVA_FLOAT);
        for (int i = 0; i < a.length; i++) {
            if (Float.floatToIntBits(a[i]) != Float.floatToIntBits(b[i])
                    && (memory != Memory.PADDED || Math.abs(a[i] - b[i]) > Math.ulp(a[i]))) {
                assertEquals(a[i], b[i], memory + " " + what + ", element " + i);
            }
        }
    }

    @Test
    void refusesWhatItCannotRead() {
        try (Arena arena = Arena.ofShared(); Context context = new Context(1)) {
            Binding binding = binding(arena, Memory.PLANAR);
            FrameInput input = FrameInput.of(CpuBackend.library(), context.address, arena, List.of(binding));
            LetterboxParams how = LetterboxTransform.of(4, 4, 96, 64).params(Preprocessing.YOLO, 96, 64);
            Frame jpeg = new Frame(PixelFormat.MJPEG, 4, 4, 0, arena.allocate(10), "");
            assertFalse(input.accept(jpeg, how));
            Frame frame = Frame.allocate(4, 4);
            LetterboxParams other = LetterboxTransform.of(4, 4, 200, 200).params(Preprocessing.YOLO, 200, 200);
            assertFalse(input.accept(frame, other), "of another input");
            LetterboxParams outside =
                    LetterboxTransform.of(4, 4, 96, 64).at(1, 0).params(Preprocessing.YOLO, 96, 64);
            assertThrows(dev.shrike.DeviceException.class, () -> input.accept(frame, outside));
            Frame gone;
            try (Arena shorter = Arena.ofShared()) {
                gone = new Frame(PixelFormat.GREY, 4, 4, 0, shorter.allocate(16), "");
            }
            assertThrows(IllegalStateException.class, () -> input.accept(gone, how));
            assertTrue(input.accept(frame, how), "goes on");
            Binding two = new Binding("x", List.of(2, 3, 64, 96), List.of(18432, 6144, 96, 1),
                    arena.allocate(4L * 2 * 18432, 64));
            assertEquals(null, FrameInput.of(CpuBackend.library(), context.address, arena, List.of(two)));
            assertEquals(null, FrameInput.of(CpuBackend.library(), context.address, arena, List.of(binding, binding)));
        }
    }

    /** The numbers that both sides give the formats. */
    @Test
    void formatsAreThoseOfTheHeader() throws IOException {
        String header = NativeHeaders.shrike();
        int last = 0;
        for (PixelFormat format : PixelFormat.values()) {
            if (format != PixelFormat.MJPEG) {
                int at = header.indexOf("SHRIKE_PIXELS_" + format);
                assertTrue(at > last, format + " out of its order");
                assertEquals(format.ordinal(), FrameInput.code(format));
                last = at;
            }
        }
    }

    private static Binding binding(Arena arena, Memory memory) {
        List<Integer> strides = switch (memory) {
            case PLANAR -> List.of(3 * 64 * 96, 64 * 96, 96, 1);
            case CHANNELS_LAST -> List.of(3 * 64 * 96, 1, 3 * 96, 3);
            case PADDED -> List.of(4 * 64 * 96, 1, 4 * 96, 4);
        };
        return new Binding("images", List.of(1, 3, 64, 96), strides, arena.allocate(4L * strides.getFirst(), 64));
    }

    private static Frame noise(PixelFormat format, int width, int height, int padding, Random random) {
        int stride = Frame.allocate(format, width, height, "").stride() + padding;
        byte[] bytes = new byte[2 * (stride + 1) * (height + 2)];
        random.nextBytes(bytes);
        MemorySegment memory = Arena.ofAuto().allocate(bytes.length);
        MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return new Frame(format, width, height, stride, memory, "");
    }

    private static final class Context implements AutoCloseable {
        final long address;

        Context(int threads) {
            address = CpuBackend.library().createContext(threads, EngineBits.FEATURES);
        }

        @Override
        public void close() {
            CpuBackend.library().destroyContext(address);
        }
    }
}
