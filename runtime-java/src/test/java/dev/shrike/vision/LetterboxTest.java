package dev.shrike.vision;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.shrike.Frame;
import dev.shrike.spi.Binding;
import dev.shrike.testing.SharedFolder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LetterboxTest {
    /** Where the floats of a 1x3xHxW input lie. */
    private enum Memory {
        PLANAR,
        CHANNELS_LAST,
        PADDED_ROWS,
        FOUR_CHANNELS
    }

    @ParameterizedTest
    @ValueSource(strings = {"bus", "zidane"})
    void equalsTheReferenceInput(String name) throws IOException {
        float[] expected = SharedFolder.floats("reference/" + name + "-640-input.f32.gz");
        Frame frame = Frame.read(SharedFolder.file("reference/" + name + ".jpg"));
        for (Memory layout : Memory.values()) {
            float[] actual = letterbox(frame, 640, 640, layout);
            float worst = 0;
            int differing = 0;
            for (int i = 0; i < expected.length; i++) {
                float difference = Math.abs(expected[i] - actual[i]);
                worst = Math.max(worst, difference);
                differing += difference > 1e-6f ? 1 : 0;
            }
            System.out.printf("%s %s: largest difference %.3g of 1, %d of %d values differ%n", name, layout, worst,
                    differing, expected.length);
            // One level of 255: JPEG decoders round differently.
            assertTrue(worst <= 1.01f / 255, name + " " + layout + " differs by " + worst);
        }
    }

    @ParameterizedTest
    @CsvSource({
            "640, 640, 0, 0, 640, 640",
            "320, 160, 0, 160, 640, 320",
            "810, 1080, 80, 0, 480, 640",
            "1280, 853, 0, 107, 640, 426", // 853 / 2 = 426.5 rounds to even
            "641, 640, 0, 0, 640, 639",
            "1, 1, 0, 0, 640, 640",
            "1, 5000, 319, 0, 1, 640",
            "5000, 1, 0, 319, 640, 1"
    })
    void placesTheFrame(int width, int height, int left, int top, int innerWidth, int innerHeight) {
        Frame white = filled(width, height, 255);
        float[] input = letterbox(white, 640, 640, Memory.PLANAR);
        for (int y = 0; y < 640; y++) {
            for (int x = 0; x < 640; x++) {
                boolean inside = x >= left && x < left + innerWidth && y >= top && y < top + innerHeight;
                float expected = inside ? 1 : 114 / 255f;
                float actual = input[y * 640 + x];
                if (Math.abs(expected - actual) > 1e-6f) {
                    fail("expected " + expected + " at x " + x + ", y " + y + ", found " + actual);
                }
            }
        }
    }

    /** BGR from 0 to 255, at the left and top, sides cut off, 114 to the right and below. */
    @Test
    void placesTheFrameAsYoloxWantsIt() {
        Frame frame = Frame.allocate(7, 5);
        for (int i = 0; i < 3 * 7 * 5; i++) {
            frame.pixels().set(ValueLayout.JAVA_BYTE, i, (byte) (2 * i));
        }
        for (List<Integer> strides : List.of(List.of(192, 64, 8, 1), List.of(192, 1, 24, 3), List.of(500, 2, 60, 7))) {
            MemorySegment memory = Arena.ofAuto().allocate(4096, 64);
            LetterboxTransform transform;
            try (Letterbox same = new Letterbox(new Binding("x", List.of(1, 3, 8, 7), strides, memory),
                    Preprocessing.YOLOX)) {
                transform = same.apply(frame);
            }
            assertEquals(1, transform.ratio());
            assertEquals(0, transform.padX());
            assertEquals(0, transform.padY());
            for (int c = 0; c < 3; c++) {
                for (int y = 0; y < 8; y++) {
                    for (int x = 0; x < 7; x++) {
                        float expected = y < 5 ? 2 * (3 * (7 * y + x) + c) & 0xff : 114;
                        assertEquals(expected, memory.getAtIndex(ValueLayout.JAVA_FLOAT,
                                (long) c * strides.get(1) + (long) y * strides.get(2) + (long) x * strides.get(3)),
                                "channel " + c + ", x " + x + ", y " + y + ", " + strides);
                    }
                }
            }
        }
        LetterboxTransform wide = LetterboxTransform.of(1000, 333, 416, 416, Preprocessing.YOLOX);
        assertEquals(0, wide.padY());
        assertEquals(500, wide.toFrameX(208), 1e-3);
        assertEquals(138, Preprocessing.YOLOX.inner(333, wide.ratio(), 416), "138.5 is cut off");
        assertEquals(1, Preprocessing.YOLOX.inner(1, 0.001, 416));
    }

    @Test
    void everyLayoutHoldsTheSameNumbers() {
        long seed = 20;
        Random random = new Random(seed);
        for (int round = 0; round < 8; round++) {
            Frame frame = noise(random, 1 + random.nextInt(150), 1 + random.nextInt(150));
            int width = 32 * (1 + random.nextInt(3));
            int height = 32 * (1 + random.nextInt(3));
            float[] planar = letterbox(frame, width, height, Memory.PLANAR);
            for (Memory layout : Memory.values()) {
                float[] other = letterbox(frame, width, height, layout);
                assertArrayEquals(planar, other, 1e-7f, "seed " + seed + ", round " + round + ", " + layout);
            }
        }
    }

    @Test
    void takesPixelsAsTheyAreWhenTheSizeFits() {
        Random random = new Random(21);
        Frame frame = noise(random, 64, 32);
        float[] input = letterbox(frame, 64, 32, Memory.CHANNELS_LAST);
        for (int y = 0; y < 32; y++) {
            for (int x = 0; x < 64; x++) {
                for (int c = 0; c < 3; c++) {
                    int level = frame.pixels().get(ValueLayout.JAVA_BYTE, 3L * (y * 64 + x) + 2 - c) & 255;
                    assertEquals(level / 255f, input[(c * 32 + y) * 64 + x], 1e-7f);
                }
            }
        }
    }

    @Test
    void writesTheWholeInputAgainForEveryFrame() {
        try (Arena arena = Arena.ofConfined();
                Letterbox letterbox = new Letterbox(binding(arena, 64, 64, Memory.PLANAR))) {
            Binding input = binding(arena, 64, 64, Memory.PLANAR);
            try (Letterbox other = new Letterbox(input)) {
                letterbox.apply(filled(64, 64, 9));
                input.memory().fill((byte) 77);
                other.apply(filled(64, 16, 255));
                for (int i = 0; i < 3 * 64 * 64; i++) {
                    float value = input.memory().getAtIndex(ValueLayout.JAVA_FLOAT, i);
                    assertTrue(value == 1 || value == 114 / 255f, "value " + value + " at " + i);
                }
            }
        }
    }

    @Test
    void leadsBackToTheFrame() {
        LetterboxTransform transform = LetterboxTransform.of(1280, 720, 640, 640);
        assertEquals(0.5, transform.ratio());
        assertEquals(140, transform.padY());
        assertEquals(200, transform.toFrameX(100));
        assertEquals(20, transform.toFrameY(150));
        assertEquals(0, transform.toFrameY(100), "clipped at the top");
        assertEquals(1280, transform.toFrameX(700), "clipped on the right");
    }

    @Test
    void leadsBackToTheVeryPixelThatTheFrameBeginsAt() {
        for (int height = 1; height <= 64; height++) {
            try (Arena arena = Arena.ofConfined()) {
                Binding input = binding(arena, 64, 64, Memory.PLANAR);
                try (Letterbox letterbox = new Letterbox(input)) {
                    LetterboxTransform transform = letterbox.apply(filled(64, height, 255));
                    int first = 0;
                    while (input.memory().getAtIndex(ValueLayout.JAVA_FLOAT, first * 64L) != 1) {
                        first++;
                    }
                    assertEquals(first, transform.padY(), "height " + height);
                    assertEquals(1, transform.toFrameY(first + 1), "height " + height);
                }
            }
        }
    }

    @Test
    void refusesWhatItCannotWrite() {
        try (Arena arena = Arena.ofConfined()) {
            Binding grey = new Binding("grey", List.of(1, 1, 8, 8), List.of(64, 64, 8, 1), arena.allocate(256));
            assertThrows(IllegalArgumentException.class, () -> new Letterbox(grey));
            Binding small = new Binding("small", List.of(1, 3, 8, 8), List.of(192, 64, 8, 1), arena.allocate(764, 4));
            assertThrows(IllegalArgumentException.class, () -> new Letterbox(small));
            Letterbox letterbox = new Letterbox(binding(arena, 32, 32, Memory.PLANAR));
            letterbox.close();
            letterbox.close();
            assertThrows(IllegalStateException.class, () -> letterbox.apply(filled(4, 4, 0)));
        }
    }

    @Test
    void refusesAFrameWhoseMemoryIsGone() {
        Frame gone;
        try (Arena arena = Arena.ofConfined()) {
            gone = new Frame(4, 4, arena.allocate(48), Instant.EPOCH);
        }
        try (Arena arena = Arena.ofConfined();
                Letterbox letterbox = new Letterbox(binding(arena, 32, 32, Memory.PLANAR))) {
            assertThrows(IllegalStateException.class, () -> letterbox.apply(gone));
        }
    }

    /** The input in NCHW order, whatever the memory. */
    private static float[] letterbox(Frame frame, int width, int height, Memory layout) {
        try (Arena arena = Arena.ofConfined()) {
            Binding input = binding(arena, width, height, layout);
            try (Letterbox letterbox = new Letterbox(input)) {
                letterbox.apply(frame);
            }
            float[] values = new float[3 * width * height];
            int at = 0;
            for (int c = 0; c < 3; c++) {
                for (int y = 0; y < height; y++) {
                    for (int x = 0; x < width; x++) {
                        long index = (long) c * input.strides().get(1) + (long) y * input.strides().get(2)
                                + (long) x * input.strides().get(3);
                        values[at++] = input.memory().getAtIndex(ValueLayout.JAVA_FLOAT, index);
                    }
                }
            }
            return values;
        }
    }

    private static Binding binding(Arena arena, int width, int height, Memory layout) {
        List<Integer> strides =
                switch (layout) {
                    case PLANAR -> List.of(3 * width * height, width * height, width, 1);
                    case CHANNELS_LAST -> List.of(3 * width * height, 1, 3 * width, 3);
                    case PADDED_ROWS -> List.of(3 * (width + 5) * height, (width + 5) * height, width + 5, 1);
                    case FOUR_CHANNELS -> List.of(4 * width * height, 1, 4 * width, 4);
                };
        MemorySegment memory = arena.allocate(4L * strides.get(0), 64);
        return new Binding("images", List.of(1, 3, height, width), strides, memory);
    }

    static Frame filled(int width, int height, int level) {
        Frame frame = Frame.allocate(width, height);
        frame.pixels().fill((byte) level);
        return frame;
    }

    static Frame noise(Random random, int width, int height) {
        Frame frame = Frame.allocate(width, height);
        byte[] bytes = new byte[3 * width * height];
        random.nextBytes(bytes);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, frame.pixels(), 0, bytes.length);
        return frame;
    }
}
