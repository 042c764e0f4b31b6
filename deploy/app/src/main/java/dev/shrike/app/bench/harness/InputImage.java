package dev.shrike.app.bench.harness;

import dev.shrike.Frame;
import dev.shrike.spi.Binding;
import dev.shrike.vision.Letterbox;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.FloatBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/** The image that every engine looks at. */
public final class InputImage {
    private static final int WIDTH = 1280;
    private static final int HEIGHT = 720;
    private static final int CHANNELS = 3;
    private static final int TILE = 40;
    private static final long SEED = 1;

    private InputImage() {}

    /** The image of that file, or one of grey tiles in a camera's size, the same each time. */
    public static Frame frame(Optional<Path> file) {
        return file.map(Frame::read).orElseGet(InputImage::tiles);
    }

    private static Frame tiles() {
        Frame frame = Frame.allocate(WIDTH, HEIGHT);
        SplittableRandom random = new SplittableRandom(SEED);
        byte[] greys = new byte[WIDTH / TILE * (HEIGHT / TILE)];
        random.nextBytes(greys);
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                byte grey = greys[y / TILE * (WIDTH / TILE) + x / TILE];
                for (int channel = 0; channel < CHANNELS; channel++) {
                    frame.pixels().set(ValueLayout.JAVA_BYTE, (long) CHANNELS * (y * WIDTH + x) + channel, grey);
                }
            }
        }
        return frame;
    }

    /** The frame as the network takes it: {@code [batch, 3, height, width]} floats, the same image in all of them. */
    public static FloatBuffer letterboxed(Frame frame, int width, int height, int batch, Arena arena) {
        long plane = (long) width * height;
        MemorySegment memory = arena.allocate(batch * CHANNELS * plane * Float.BYTES, 64);
        Binding binding = new Binding("images", List.of(1, CHANNELS, height, width),
                List.of(Math.toIntExact(CHANNELS * plane), Math.toIntExact(plane), width, 1),
                memory.asSlice(0, CHANNELS * plane * Float.BYTES));
        try (Letterbox letterbox = new Letterbox(binding)) {
            letterbox.apply(frame);
        }
        for (int i = 1; i < batch; i++) {
            MemorySegment.copy(memory, 0, memory, i * CHANNELS * plane * Float.BYTES, CHANNELS * plane * Float.BYTES);
        }
        return memory.asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer();
    }
}
