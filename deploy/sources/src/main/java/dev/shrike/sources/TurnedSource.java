package dev.shrike.sources;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.vision.Images;
import java.util.Optional;

/** Another source whose frames are turned and mirrored into memory of its own; a JPEG is decoded first. */
final class TurnedSource extends ForwardingSource {
    private final Turning turning;
    private final String camera;
    private FramePool pool;

    TurnedSource(FrameSource source, SourceOptions options) {
        super(source);
        turning = new Turning(options.rotation(), options.mirror());
        camera = options.camera();
    }

    @Override
    public Optional<Frame> next() throws InterruptedException {
        Optional<Frame> next = source().next();
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
}
