package dev.shrike.sources;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Frames of one format and size whose memory is filled again and again. The source fills one that nobody holds and
 * gives it; readers hold what they retain. Frames may be released from any thread.
 */
final class FramePool {
    /** Three that are retained and one to fill. */
    private static final int FRAMES = 4;

    private final List<Optional<Frame>> frames;
    private final boolean[] held = new boolean[FRAMES];

    FramePool(PixelFormat format, int width, int height, String camera) {
        frames = IntStream.range(0, FRAMES).mapToObj(i -> Optional.of(Frame.allocate(format, width, height, camera)))
                .toList();
    }

    /** Whether frames of the pool are such. */
    boolean fits(PixelFormat format, int width, int height) {
        Frame frame = frames.getFirst().orElseThrow();
        return frame.format() == format && frame.width() == width && frame.height() == height;
    }

    /** A frame to fill, wrapped for {@link FrameSource#next}. One that was given before may come again. */
    synchronized Optional<Frame> free() {
        for (int i = 0; i < FRAMES; i++) {
            if (!held[i]) {
                return frames.get(i);
            }
        }
        throw new IllegalStateException("all frames are retained, which retain() does not allow");
    }

    /** Keeps one of this pool's frames from being filled, unless then none were left to fill. */
    synchronized boolean retain(Frame frame) {
        int index = indexOf(frame);
        int count = 0;
        for (boolean one : held) {
            count += one ? 1 : 0;
        }
        if (index < 0 || held[index] || count == FRAMES - 1) {
            return false;
        }
        held[index] = true;
        return true;
    }

    /** Whether it is one of this pool's frames; it may be filled again. */
    synchronized boolean release(Frame frame) {
        int index = indexOf(frame);
        if (index >= 0) {
            held[index] = false;
        }
        return index >= 0;
    }

    private int indexOf(Frame frame) {
        for (int i = 0; i < FRAMES; i++) {
            if (frames.get(i).orElseThrow() == frame) {
                return i;
            }
        }
        return -1;
    }
}
