package dev.shrike.live;

import dev.shrike.Frame;

/**
 * One slot for a frame between two threads; the newest wins. Monitors rather than locks with conditions, which allocate
 * a node each time that a thread waits.
 */
final class FrameSlot {
    private Frame frame;
    private boolean ended;

    /** Puts a frame in; the one that it replaces comes back, or null. After {@link #end} the frame itself does. */
    synchronized Frame put(Frame newest) {
        if (ended) {
            return newest;
        }
        Frame replaced = frame;
        frame = newest;
        notifyAll();
        return replaced;
    }

    /** Puts a frame in once the slot is empty: null, or after {@link #end} the frame itself. */
    synchronized Frame putWhenEmpty(Frame next) throws InterruptedException {
        while (frame != null && !ended) {
            wait();
        }
        return put(next);
    }

    /** Waits for a frame and takes it out; null once the slot is empty and no more will come. */
    synchronized Frame take() throws InterruptedException {
        while (frame == null && !ended) {
            wait();
        }
        Frame taken = frame;
        frame = null;
        notifyAll();
        return taken;
    }

    /** No more frames will come; the one that is in may still be taken. */
    synchronized void end() {
        ended = true;
        notifyAll();
    }

    /** Takes out what is in, or null, and takes no more. */
    synchronized Frame abandon() {
        end();
        Frame left = frame;
        frame = null;
        return left;
    }
}
