package dev.shrike.sources;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Clock;
import java.util.Optional;

/**
 * A camera that is not there: diagonal stripes that move with a bright square across, the same for the same seed and
 * number of the frame.
 */
final class TestSource extends OpenSource {
    private static final int PERIOD = 256;

    private final TestPattern pattern;
    private final FramePool pool;
    private final Pace pace;
    private final int pixelBytes;
    private final MemorySegment stripes;
    private final MemorySegment bright;
    private final WallClock clock = new WallClock(Clock.systemUTC());
    private long number;

    TestSource(TestPattern pattern, SourceOptions options) {
        super(pattern.name());
        this.pattern = pattern;
        pool = new FramePool(pattern.format(), pattern.width(), pattern.height(), options.camera());
        pace = new Pace(options.rate() > 0 ? options.rate() : pattern.rate());
        pixelBytes = switch (pattern.format()) {
            case BGR, RGB -> 3;
            case YUYV, UYVY -> 2;
            case GREY, NV12, I420, MJPEG -> 1;
        };
        Arena arena = Arena.ofAuto();
        stripes = arena.allocate((long) (pattern.width() + 1 + PERIOD) * pixelBytes);
        bright = arena.allocate((long) (pattern.width() + 1) * pixelBytes);
        for (int x = 0; x < pattern.width() + 1 + PERIOD; x++) {
            paint(stripes, x, 16 + (x % PERIOD) * 219 / 255);
        }
        for (int x = 0; x <= pattern.width(); x++) {
            paint(bright, x, 235);
        }
    }

    private void paint(MemorySegment row, int x, int value) {
        for (int i = 0; i < pixelBytes; i++) {
            boolean chroma = pattern.format() == PixelFormat.YUYV && i == 1
                    || pattern.format() == PixelFormat.UYVY && i == 0;
            row.set(ValueLayout.JAVA_BYTE, (long) x * pixelBytes + i, (byte) (chroma ? 128 : value));
        }
    }

    @Override
    Optional<Frame> grab() throws InterruptedException {
        if (pattern.frames() > 0 && number == pattern.frames()) {
            return Optional.empty();
        }
        pause(pace.untilNext(System.nanoTime()));
        if (isClosed()) {
            return Optional.empty();
        }
        Optional<Frame> given = pool.free();
        Frame frame = given.orElseThrow();
        draw(frame);
        long now = System.nanoTime();
        frame.stamp(now, clock.microsAt(now), clock.isSynchronized(), number++);
        return given;
    }

    private void draw(Frame frame) {
        MemorySegment pixels = frame.pixels();
        int stride = frame.stride();
        // The last row of packed formats has an odd column of its own in YUYV: whole pairs are written.
        long row = (long) pixelBytes * (pixelBytes == 2 ? (frame.width() + 1) / 2 * 2 : frame.width());
        long shift = Math.floorMod(pattern.seed() * 34L + number * 2, (long) PERIOD);
        for (int y = 0; y < frame.height(); y++) {
            long from = (shift + 2L * y) % PERIOD;
            MemorySegment.copy(stripes, from * pixelBytes, pixels, (long) y * stride, row);
        }
        int side = Math.min(frame.width(), frame.height()) / 8 * 2;
        long left = (number * 4 + pattern.seed()) % (frame.width() - side) / 2 * 2;
        for (int y = frame.height() / 3; y < frame.height() / 3 + side; y++) {
            MemorySegment.copy(bright, 0, pixels, (long) y * stride + left * pixelBytes, (long) side * pixelBytes);
        }
        long luminance = (long) stride * frame.height();
        if (frame.format() == PixelFormat.I420 || frame.format() == PixelFormat.NV12) {
            pixels.asSlice(luminance).fill((byte) 128);
        }
    }

    @Override
    public boolean retain(Frame frame) {
        return pool.retain(frame);
    }

    @Override
    public void release(Frame frame) {
        if (!pool.release(frame)) {
            throw new IllegalArgumentException("a frame is released that was not retained");
        }
    }

    @Override
    public boolean live() {
        return pattern.rate() > 0;
    }

    @Override
    void free() {
        // The garbage collector has the memory, once the last frame is let go.
    }
}
