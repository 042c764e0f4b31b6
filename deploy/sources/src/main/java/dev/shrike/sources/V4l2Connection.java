package dev.shrike.sources;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A V4L2 camera that streams. Frames are the driver's own buffers, mapped: nothing is copied and, but for JPEG, whose
 * length differs, nothing allocated. A buffer goes back to the driver with the next read, or when its frame is
 * released; that of a frame which is still retained when the camera is closed is unmapped when it is released.
 */
final class V4l2Connection implements Connection {
    private static final int POLL_MILLIS = 100;
    private static final int POLL_IN = 1;
    /** Buffers that the driver keeps, whatever the readers retain. */
    private static final int DRIVERS = 2;

    /** Who has a buffer. */
    private enum Holder {
        DRIVER,
        READER,
        RETAINED,
        NOBODY
    }

    private final int descriptor;
    private final DeviceCalls calls;
    private final SourceOptions options;
    private final long[] number;
    private final WallClock wall = new WallClock(Clock.systemUTC());
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(V4l2.BUFFER_BYTES, 8);
    private final List<Optional<Frame>> frames = new ArrayList<>();
    private final List<MemorySegment> memories = new ArrayList<>();
    private final Holder[] holders;
    private final boolean jpeg;
    private final long base;
    private int given = -1;
    private boolean closed;
    private long damaged;
    private volatile boolean stopped;

    /** Takes over the descriptor, unless it throws. */
    V4l2Connection(int descriptor, DeviceCalls calls, V4l2Link.Negotiated agreed, int wanted, SourceOptions options,
            long[] number) throws LostException {
        this.descriptor = descriptor;
        this.calls = calls;
        this.options = options;
        this.number = number;
        base = number[0];
        jpeg = agreed.pixels().format == PixelFormat.MJPEG;
        int count = request(wanted);
        holders = new Holder[count];
        try {
            for (int i = 0; i < count; i++) {
                map(i, agreed);
                queue(i);
            }
            check(calls.ioctl(descriptor, V4l2.STREAMON, type()));
        } catch (LostException | RuntimeException | Error e) {
            unmapAll();
            arena.close();
            throw e;
        }
    }

    private int request(int wanted) throws LostException {
        MemorySegment request = arena.allocate(V4l2.REQUEST_BYTES, 8);
        request.set(JAVA_INT, 0, wanted);
        request.set(JAVA_INT, 4, V4l2.TYPE_VIDEO_CAPTURE);
        request.set(JAVA_INT, 8, V4l2.MEMORY_MAPPED);
        check(calls.ioctl(descriptor, V4l2.REQBUFS, request));
        int count = request.get(JAVA_INT, 0);
        if (count < DRIVERS) {
            throw new LostException("it has memory for " + count + " frames only");
        }
        return count;
    }

    private void map(int index, V4l2Link.Negotiated agreed) throws LostException {
        name(index);
        check(calls.ioctl(descriptor, V4l2.QUERYBUF, buffer));
        long length = Integer.toUnsignedLong(buffer.get(JAVA_INT, V4l2.LENGTH_AT));
        long address = calls.map(descriptor, length, Integer.toUnsignedLong(buffer.get(JAVA_INT, V4l2.OFFSET_AT)));
        if (address < 0 && address > -4096) {
            throw new LostException("its buffers cannot be mapped: " + V4l2.error((int) address));
        }
        MemorySegment memory = MemorySegment.ofAddress(address).reinterpret(length);
        memories.add(memory);
        holders[index] = Holder.NOBODY;
        try {
            frames.add(Optional.of(new Frame(agreed.pixels().format, agreed.width(), agreed.height(),
                    jpeg ? 0 : agreed.stride(), memory, options.camera())));
        } catch (IllegalArgumentException e) {
            throw new LostException("its driver tells sizes that cannot be: " + e.getMessage());
        }
    }

    private MemorySegment type() {
        MemorySegment type = buffer.asSlice(0, 4);
        type.set(JAVA_INT, 0, V4l2.TYPE_VIDEO_CAPTURE);
        return type;
    }

    private void name(int index) {
        buffer.fill((byte) 0);
        buffer.set(JAVA_INT, 0, index);
        buffer.set(JAVA_INT, 4, V4l2.TYPE_VIDEO_CAPTURE);
        buffer.set(JAVA_INT, V4l2.MEMORY_AT, V4l2.MEMORY_MAPPED);
    }

    private synchronized void queue(int index) throws LostException {
        name(index);
        check(calls.ioctl(descriptor, V4l2.QBUF, buffer));
        holders[index] = Holder.DRIVER;
    }

    @Override
    public Optional<Frame> read() throws LostException, InterruptedException {
        giveBack();
        long end = System.nanoTime() + options.stallTimeout().toNanos();
        while (!stopped) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            int events = calls.poll(descriptor, POLL_MILLIS);
            if (events < 0 && events != -V4l2.E_INTR) {
                check(events);
            }
            if (events > 0) {
                Optional<Frame> frame = take((events & POLL_IN) != 0);
                if (frame.isPresent()) {
                    return frame;
                }
            }
            if (System.nanoTime() - end > 0) {
                throw new LostException("no frame for " + StreamLink.seconds(options.stallTimeout()));
            }
        }
        return Optional.empty();
    }

    private synchronized void giveBack() throws LostException {
        int index = given;
        given = -1;
        if (index >= 0 && holders[index] == Holder.READER) {
            queue(index);
        }
    }

    /** The frame that is ready, unless the driver calls it damaged or there is none after all. */
    private synchronized Optional<Frame> take(boolean ready) throws LostException {
        name(0);
        int status = calls.ioctl(descriptor, V4l2.DQBUF, buffer);
        if (status == -V4l2.E_AGAIN && ready) {
            return Optional.empty();
        }
        check(status);
        int index = buffer.get(JAVA_INT, 0);
        if (index < 0 || index >= holders.length) {
            throw new LostException("its driver gives a buffer that is none");
        }
        int flags = buffer.get(JAVA_INT, V4l2.FLAGS_AT);
        long used = Integer.toUnsignedLong(buffer.get(JAVA_INT, V4l2.USED_AT));
        number[0] = base + Integer.toUnsignedLong(buffer.get(JAVA_INT, V4l2.SEQUENCE_AT)) + 1;
        Optional<Frame> next = frames.get(index);
        Frame frame = next.orElseThrow();
        boolean whole = jpeg ? used > 0 : used >= frame.bytes();
        if ((flags & V4l2.FLAG_ERROR) != 0 || !whole || used > memories.get(index).byteSize()) {
            queue(index);
            damaged++;
            return Optional.empty();
        }
        holders[index] = Holder.READER;
        given = index;
        if (jpeg) {
            frame.pixels(memories.get(index).asSlice(0, used));
        }
        long captured = System.nanoTime();
        if ((flags & V4l2.FLAG_TIMESTAMP_MASK) == V4l2.FLAG_TIMESTAMP_MONOTONIC) {
            // Some drivers tell when the frame ought to end, which may be yet to come.
            captured = Math.min(captured, buffer.get(JAVA_LONG, V4l2.SECONDS_AT) * 1_000_000_000L
                    + buffer.get(JAVA_LONG, V4l2.MICROSECONDS_AT) * 1_000L);
        }
        frame.stamp(captured, wall.microsAt(captured), wall.isSynchronized(), number[0] - 1);
        return next;
    }

    @Override
    public synchronized boolean retain(Frame frame) {
        int index = indexOf(frame);
        int retained = 0;
        for (Holder holder : holders) {
            retained += holder == Holder.RETAINED ? 1 : 0;
        }
        // One is with the reader, and the driver must not run dry.
        if (index < 0 || index != given || retained + 1 > holders.length - DRIVERS - 1) {
            return false;
        }
        holders[index] = Holder.RETAINED;
        return true;
    }

    @Override
    public synchronized boolean release(Frame frame) {
        int index = indexOf(frame);
        if (index < 0 || holders[index] != Holder.RETAINED) {
            return false;
        }
        if (closed) {
            unmap(index);
        } else if (index == given) {
            holders[index] = Holder.READER;
        } else {
            try {
                queue(index);
            } catch (LostException e) {
                // The next read meets it.
                holders[index] = Holder.NOBODY;
            }
        }
        return true;
    }

    private int indexOf(Frame frame) {
        for (int i = 0; i < frames.size(); i++) {
            if (frames.get(i).orElseThrow() == frame) {
                return i;
            }
        }
        return -1;
    }

    private static void check(int status) throws LostException {
        if (status < 0) {
            throw new LostException(V4l2.error(status), status == -V4l2.E_BUSY);
        }
    }

    @Override
    public long damaged() {
        return damaged;
    }

    @Override
    public void stop() {
        stopped = true;
    }

    private void unmap(int index) {
        holders[index] = Holder.NOBODY;
        MemorySegment memory = memories.get(index);
        int ignored = calls.unmap(memory.address(), memory.byteSize());
    }

    private void unmapAll() {
        for (int i = 0; i < memories.size(); i++) {
            if (holders[i] != Holder.RETAINED) {
                unmap(i);
            }
        }
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        int off = calls.ioctl(descriptor, V4l2.STREAMOFF, type());
        unmapAll();
        int shut = calls.close(descriptor);
        arena.close();
    }
}
