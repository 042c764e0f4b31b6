package dev.shrike.sources;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.vision.Images;
import java.util.Optional;
import java.util.function.Consumer;

/** Another source whose frames are turned and mirrored into memory of its own; a JPEG is decoded first. */
final class TurnedSource implements FrameSource {
    private final FrameSource source;
    private final Turning turning;
    private final String camera;
    private FramePool pool;

    TurnedSource(FrameSource source, SourceOptions options) {
        this.source = source;
        turning = new Turning(options.rotation(), options.mirror());
        camera = options.camera();
    }

    @Override
    public Optional<Frame> next() throws InterruptedException {
        Optional<Frame> next = source.next();
        if (next.isEmpty()) {
            return next;
        }
        Frame given = next.get();
        Frame frame = given.format() == PixelFormat.MJPEG ? Images.decode(given.pixels(), name()) : given;
        PixelFormat format = turning.target(frame.format());
        int width = turning.quarter() ? frame.height() : frame.width();
        int height = turning.quarter() ? frame.width() : frame.height();
        if (pool == null || !pool.fits(format, width, height)) {
            pool = new FramePool(format, width, height, camera);
        }
        Optional<Frame> turned = pool.free();
        turning.turn(frame, turned.get());
        turned.get().stamp(given.capturedNanos(), given.capturedMicros(), given.clockSynchronized(),
                given.sequence());
        return turned;
    }

    @Override
    public boolean retain(Frame frame) {
        return pool.retain(frame);
    }

    @Override
    public void release(Frame frame) {
        pool.release(frame);
    }

    @Override
    public boolean live() {
        return source.live();
    }

    @Override
    public long missing() {
        return source.missing();
    }

    @Override
    public long damaged() {
        return source.damaged();
    }

    @Override
    public String name() {
        return source.name();
    }

    @Override
    public SourceState state() {
        return source.state();
    }

    @Override
    public void listen(Consumer<SourceState> listener) {
        source.listen(listener);
    }

    @Override
    public void close() {
        source.close();
    }
}
