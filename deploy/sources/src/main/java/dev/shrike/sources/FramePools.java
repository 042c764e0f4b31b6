package dev.shrike.sources;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import java.util.Optional;

/** The pool of a source whose frames may change their size: when they do, the old pool is left to its readers. */
final class FramePools {
    private final String camera;
    private volatile FramePool pool;

    FramePools(String camera) {
        this.camera = camera;
    }

    /** A frame to fill, of this format and size. */
    Optional<Frame> free(PixelFormat format, int width, int height) {
        FramePool current = pool;
        if (current == null || !current.fits(format, width, height)) {
            current = new FramePool(format, width, height, camera);
            pool = current;
        }
        return current.free();
    }

    boolean retain(Frame frame) {
        FramePool current = pool;
        return current != null && current.retain(frame);
    }

    /** A frame of an older pool is the garbage collector's. */
    void release(Frame frame) {
        FramePool current = pool;
        if (current != null) {
            boolean known = current.release(frame);
        }
    }
}
