package dev.shrike.live;

import dev.shrike.Frame;
import dev.shrike.sources.FrameSource;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * Frames that outlive the next call of their source: its own where it retains them, else copies. A copy is made into
 * memory that an earlier one has left.
 */
final class FrameLeases {
    private final FrameSource source;
    private final Map<Frame, MemorySegment> copies = new IdentityHashMap<>();
    private final ArrayDeque<MemorySegment> free = new ArrayDeque<>();

    FrameLeases(FrameSource source) {
        this.source = source;
    }

    /** The frame, or a copy of it, to be read until {@link #release}. */
    Frame keep(Frame frame) {
        return source.retain(frame) ? frame : copy(frame);
    }

    private synchronized Frame copy(Frame frame) {
        long bytes = frame.pixels().byteSize();
        MemorySegment memory = free.poll();
        if (memory == null || memory.byteSize() < bytes) {
            // What was too small is left to the garbage collector: a JPEG grew.
            memory = Arena.ofAuto().allocate(bytes + bytes / 4, 64);
        }
        MemorySegment pixels = memory.asSlice(0, bytes).copyFrom(frame.pixels());
        Frame copy = new Frame(frame.format(), frame.width(), frame.height(), frame.stride(), pixels, frame.camera());
        copy.stamp(frame.capturedNanos(), frame.capturedMicros(), frame.clockSynchronized(), frame.sequence());
        copies.put(copy, memory);
        return copy;
    }

    /** Gives back what {@link #keep} gave. */
    void release(Frame frame) {
        synchronized (this) {
            MemorySegment memory = copies.remove(frame);
            if (memory != null) {
                free.add(memory);
                return;
            }
        }
        source.release(frame);
    }
}
