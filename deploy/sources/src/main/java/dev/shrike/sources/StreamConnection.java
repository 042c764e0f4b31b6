package dev.shrike.sources;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import java.time.Clock;
import java.util.Optional;

/**
 * A stream that stands. Frames that are damaged, and those that are built on them, are left out until the next key
 * frame, or for half the time after which the stream counts as lost: some cameras never send a second key frame.
 */
final class StreamConnection implements Connection, CaptureClock {
    /** A delay that a network can have; more is a wrong clock. */
    private static final long LARGEST_DELAY_MICROS = 5_000_000;

    private final FfmpegInput input;
    private final InterruptFlag interrupt;
    private final FramePools pools;
    private final SourceOptions options;
    private final long[] number;
    private final WallClock wall = new WallClock(Clock.systemUTC());
    private final Thinning thinning;
    private boolean whole;
    private boolean begun;
    private long damaged;
    private long givenNanos = System.nanoTime();
    private long damagedNanos;

    /** @param number of the next frame, which goes on over connections */
    StreamConnection(FfmpegInput input, InterruptFlag interrupt, FramePools pools, SourceOptions options,
            long[] number) {
        this.input = input;
        this.interrupt = interrupt;
        this.pools = pools;
        this.options = options;
        this.number = number;
        thinning = new Thinning(options.rate());
    }

    @Override
    public Optional<Frame> read() throws LostException, InterruptedException {
        interrupt.allow(options.stallTimeout().toNanos());
        try {
            do {
                if (!input.read(this)) {
                    throw new LostException("the stream has ended");
                }
                number[0]++;
            } while (!isWhole() || !thinning.takes(input.capturedNanos()));
            PixelFormat format = input.pixelFormat();
            Optional<Frame> given = pools.free(format, input.width(), input.height());
            Frame frame = given.orElseThrow();
            input.copyTo(frame);
            long captured = input.capturedNanos();
            frame.stamp(captured, wall.microsAt(captured), wall.isSynchronized(), number[0] - 1);
            return given;
        } catch (FfmpegException e) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            throw switch (e.kind()) {
                case INTERRUPTED -> new LostException("no frame for "
                        + StreamLink.seconds(options.stallTimeout()) + ": frozen, or out of reach");
                case UNREACHABLE, REFUSED, NOT_FOUND, INVALID, OTHER ->
                    new LostException("the connection broke: " + e.getMessage());
            };
        }
    }

    private boolean isWhole() {
        long now = System.nanoTime();
        if (input.damaged()) {
            if (whole) {
                damagedNanos = now;
            }
            whole = false;
        } else if (input.key() || damagedNanos != 0 && now - damagedNanos > options.stallTimeout().toNanos() / 2) {
            whole = true;
        }
        begun |= whole;
        // What comes before the first key frame is a part of what others have seen, and no damage.
        if (!whole && (begun || input.damaged())) {
            damaged++;
        }
        return whole;
    }

    @Override
    public long damaged() {
        return damaged + input.refused();
    }

    /**
     * FFmpeg's parser gives a frame when the next one begins to come, so a frame began to come when the one before it
     * was given; the first one no earlier than the connection stood.
     */
    @Override
    public long capturedNanos(long senderMicros) {
        long now = System.nanoTime();
        long arrived = givenNanos;
        givenNanos = now;
        if (senderMicros == FfmpegInput.NO_TIME) {
            return arrived;
        }
        long delay = wall.microsAt(now) - senderMicros;
        return delay >= 0 && delay <= LARGEST_DELAY_MICROS ? now - delay * 1_000 : arrived;
    }

    @Override
    public boolean retain(Frame frame) {
        return pools.retain(frame);
    }

    @Override
    public boolean release(Frame frame) {
        pools.release(frame);
        return true;
    }

    @Override
    public void stop() {
        interrupt.stop();
    }

    @Override
    public void close() {
        input.close();
    }
}
