package dev.shrike.sources;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.SourceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;

/**
 * A video file. Capture times are those of the video, counted from when the first frame was read, so that what comes
 * after can tell speeds; in real time they are when the frame was due. Damaged frames are left out and counted.
 */
final class VideoSource extends OpenSource {
    /** Not among them are lists of other files, and text that FFmpeg would play as a video. */
    private static final String FORMATS = "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,gif,h264,hevc,m4v,mjpeg,"
            + "mpjpeg,ivf,apng,nut,mxf,dv,yuv4mpegpipe,obu,wtv,rm";
    private static final long FOREVER = Long.MAX_VALUE / 4;
    private static final long FEW_FRAMES = 2;
    private static final long LATE_NANOS = 1_000_000_000L;

    private final Path file;
    private final SourceOptions options;
    private final InterruptFlag interrupt = new InterruptFlag();
    private final FramePools pools;
    private final Thinning thinning;
    private final WallClock wall = new WallClock(Clock.systemUTC());
    private FfmpegInput input;
    /** Where the video's time 0 is on the clock of System.nanoTime. */
    private long zeroNanos;
    private long lastNanos;
    private long number;
    private boolean anyGiven;
    private volatile long damaged;
    private volatile long missing;
    private long damagedFrames;
    /** Of earlier rounds of the file. */
    private long damagedBefore;

    VideoSource(Path file, SourceOptions options) {
        super(file.toString());
        this.file = file;
        this.options = options;
        pools = new FramePools(options.camera());
        thinning = new Thinning(options.rate());
        if (!Files.isRegularFile(file)) {
            throw new SourceException(file + ": is no file");
        }
    }

    @Override
    Optional<Frame> grab() throws InterruptedException {
        interrupt.allow(FOREVER);
        try {
            while (!isClosed()) {
                if (input == null) {
                    open();
                }
                boolean read = input.read(sender -> 0);
                damaged = damagedBefore + damagedFrames + input.refused();
                if (!read) {
                    if (!atEnd()) {
                        return Optional.empty();
                    }
                    continue;
                }
                long captured = captured();
                number++;
                if (input.damaged()) {
                    damagedFrames++;
                    damaged++;
                    continue;
                }
                if (!thinning.takes(captured)) {
                    continue;
                }
                if (options.realTime()) {
                    captured = paced(captured);
                }
                return isClosed() ? Optional.empty() : given(captured);
            }
            return Optional.empty();
        } catch (FfmpegException e) {
            return failed(e);
        }
    }

    private Optional<Frame> failed(FfmpegException e) throws InterruptedException {
        if (Thread.interrupted()) {
            // The video is at no frame now; the next call begins anew.
            closeInput();
            throw new InterruptedException();
        }
        if (isClosed()) {
            return Optional.empty();
        }
        throw new SourceException(file + (anyGiven ? ": is damaged after frame " + number + ": "
                : ": is no video that can be read: ") + e.getMessage());
    }

    private void open() throws FfmpegException {
        FfmpegLibrary.require();
        int threads = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 4);
        input = FfmpegInput.open("file:" + file.toAbsolutePath(),
                Map.of("protocol_whitelist", "file,crypto,data", "format_whitelist", FORMATS), true,
                options.decoder(), threads, interrupt);
    }

    /** Whether the video begins again. */
    private boolean atEnd() {
        if (!anyGiven) {
            throw new SourceException(file + ": has no frame that can be decoded");
        }
        if (!options.loop()) {
            long lacking = input.frames() - number - input.refused();
            // Containers count some frames that are never shown, at the start and in edited videos.
            missing = lacking > Math.max(FEW_FRAMES, input.frames() / 10) ? lacking : 0;
            return false;
        }
        long step = input.rate() > 0 ? Math.round(1e9 / input.rate()) : 40_000_000;
        closeInput();
        zeroNanos = lastNanos + step;
        return true;
    }

    private long captured() {
        if (!anyGiven && zeroNanos == 0) {
            zeroNanos = System.nanoTime();
        }
        long micros = input.videoMicros();
        double rate = input.rate();
        long nanos = micros != FfmpegInput.NO_TIME
                ? zeroNanos + micros * 1_000
                : lastNanos == 0 ? zeroNanos : lastNanos + Math.round(1e9 / (rate > 0 ? rate : 25));
        // Time stamps of a broken file may go back; time does not.
        lastNanos = lastNanos == 0 || nanos - lastNanos > 0 ? nanos : lastNanos + 1;
        return lastNanos;
    }

    private long paced(long due) throws InterruptedException {
        long now = System.nanoTime();
        if (now - due > LATE_NANOS) {
            // Nobody asked for a while: the rest is later by that.
            zeroNanos += now - due;
            lastNanos = now;
            return now;
        }
        pause(due - now);
        return due;
    }

    private Optional<Frame> given(long captured) throws FfmpegException {
        PixelFormat format = input.pixelFormat();
        Optional<Frame> given = pools.free(format, input.width(), input.height());
        Frame frame = given.orElseThrow();
        input.copyTo(frame);
        frame.stamp(captured, wall.microsAt(captured), wall.isSynchronized(), number - 1);
        anyGiven = true;
        return given;
    }

    @Override
    public boolean retain(Frame frame) {
        return pools.retain(frame);
    }

    @Override
    public void release(Frame frame) {
        pools.release(frame);
    }

    @Override
    public long damaged() {
        return damaged;
    }

    @Override
    public long missing() {
        return missing;
    }

    @Override
    public boolean live() {
        return options.realTime();
    }

    @Override
    void wake() {
        interrupt.stop();
    }

    private void closeInput() {
        if (input != null) {
            damagedBefore += input.refused();
            input.close();
            input = null;
        }
    }

    @Override
    void free() {
        closeInput();
    }
}
