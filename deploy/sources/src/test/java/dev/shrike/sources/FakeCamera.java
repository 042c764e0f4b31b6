package dev.shrike.sources;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * A V4L2 driver with one camera of 64x48 and 32x24 pixels, as far as the calls show. Calls that a frame needs allocate
 * nothing.
 */
final class FakeCamera implements DeviceCalls {
    private static final int DESCRIPTOR = 7;
    private static final int BUFFER = 16_384;

    final List<String> formats = new ArrayList<>(List.of("YUYV", "MJPG", "H264"));
    String card = "Fake";
    String bus = "usb-1";
    int padding;
    boolean absent;
    boolean unplugged;
    int opened;
    int mapped;
    double rawRate = 30;

    private final Arena arena = Arena.ofAuto();
    private final List<MemorySegment> memories = new ArrayList<>();
    private final ArrayDeque<Integer> queued = new ArrayDeque<>();
    private final ArrayDeque<MemorySegment> ready = new ArrayDeque<>();
    private int width = 64;
    private int height = 48;
    private int pixels = code("YUYV");
    private int sequence;
    private boolean streaming;

    private static int code(String name) {
        return name.charAt(0) | name.charAt(1) << 8 | name.charAt(2) << 16 | name.charAt(3) << 24;
    }

    /** Fills the next buffer with the value; none if the driver has no buffer. */
    synchronized boolean shoot(int value, long nanos, int flags, int used) {
        if (!streaming) {
            return false;
        }
        Integer index = queued.poll();
        sequence++;
        if (index == null) {
            return false;
        }
        memories.get(index).fill((byte) value);
        MemorySegment buffer = arena.allocate(V4l2.BUFFER_BYTES, 8);
        buffer.set(JAVA_INT, 0, index);
        buffer.set(JAVA_INT, V4l2.USED_AT, used);
        buffer.set(JAVA_INT, V4l2.FLAGS_AT, flags);
        buffer.set(JAVA_LONG, V4l2.SECONDS_AT, nanos / 1_000_000_000);
        buffer.set(JAVA_LONG, V4l2.MICROSECONDS_AT, nanos % 1_000_000_000 / 1_000);
        buffer.set(JAVA_INT, V4l2.SEQUENCE_AT, sequence - 1);
        ready.add(buffer);
        notifyAll();
        return true;
    }

    /** A whole frame at a time of the kernel's clock. */
    boolean shoot(int value, long nanos) {
        return shoot(value, nanos, V4l2.FLAG_TIMESTAMP_MONOTONIC, stride() * height);
    }

    int stride() {
        return 2 * width + padding;
    }

    synchronized int queued() {
        return queued.size();
    }

    synchronized void unplug() {
        unplugged = true;
        notifyAll();
    }

    synchronized void plug(String newBus) {
        unplugged = false;
        bus = newBus;
        memories.clear();
        queued.clear();
        ready.clear();
        streaming = false;
        sequence = 0;
    }

    @Override
    public synchronized int open(String path) {
        if (absent || unplugged) {
            return -V4l2.E_NOENT;
        }
        if (opened > 0) {
            return -V4l2.E_BUSY;
        }
        opened++;
        return DESCRIPTOR;
    }

    @Override
    public synchronized int close(int descriptor) {
        opened--;
        return 0;
    }

    @Override
    public synchronized int ioctl(int descriptor, long request, MemorySegment argument) {
        if (unplugged) {
            return -V4l2.E_NODEV;
        }
        return switch ((int) (request & 0xff)) {
            case 0 -> capability(argument);
            case 2 -> description(argument);
            case 4, 5 -> format(argument, (request & 0xff) == 5);
            case 8 -> buffers(argument);
            case 9 -> query(argument);
            case 15 -> queue(argument);
            case 17 -> dequeue(argument);
            case 18 -> stream(true);
            case 19 -> stream(false);
            case 22 -> parameters(argument);
            case 74 -> size(argument);
            default -> -V4l2.E_NOTTY;
        };
    }

    private int capability(MemorySegment argument) {
        argument.fill((byte) 0);
        byte[] name = card.getBytes(StandardCharsets.UTF_8);
        MemorySegment.copy(name, 0, argument, JAVA_BYTE, V4l2.CARD_AT, name.length);
        byte[] port = bus.getBytes(StandardCharsets.UTF_8);
        MemorySegment.copy(port, 0, argument, JAVA_BYTE, V4l2.BUS_AT, port.length);
        argument.set(JAVA_INT, V4l2.CAPABILITIES_AT, V4l2.HAS_DEVICE_CAPABILITIES | V4l2.CAN_CAPTURE);
        int can = card.equals("Metadata") ? V4l2.CAN_STREAM : V4l2.CAN_CAPTURE | V4l2.CAN_STREAM;
        argument.set(JAVA_INT, V4l2.DEVICE_CAPABILITIES_AT, can);
        return 0;
    }

    private int description(MemorySegment argument) {
        int index = argument.get(JAVA_INT, 0);
        if (index >= formats.size()) {
            return -V4l2.E_INVAL;
        }
        argument.set(JAVA_INT, V4l2.DESCRIPTION_PIXELS_AT, code(formats.get(index)));
        return 0;
    }

    private int format(MemorySegment argument, boolean set) {
        if (set) {
            boolean small = argument.get(JAVA_INT, V4l2.WIDTH_AT) < 48;
            width = small ? 32 : 64;
            height = small ? 24 : 48;
            pixels = argument.get(JAVA_INT, V4l2.PIXELS_AT);
        }
        argument.set(JAVA_INT, V4l2.WIDTH_AT, width);
        argument.set(JAVA_INT, V4l2.HEIGHT_AT, height);
        argument.set(JAVA_INT, V4l2.PIXELS_AT, pixels);
        argument.set(JAVA_INT, V4l2.STRIDE_AT, pixels == code("MJPG") ? 0 : stride());
        return 0;
    }

    private int buffers(MemorySegment argument) {
        int count = Math.min(argument.get(JAVA_INT, 0), 6);
        argument.set(JAVA_INT, 0, count);
        memories.clear();
        for (int i = 0; i < count; i++) {
            memories.add(arena.allocate(BUFFER, 64));
        }
        return 0;
    }

    private int query(MemorySegment argument) {
        argument.set(JAVA_INT, V4l2.LENGTH_AT, BUFFER);
        argument.set(JAVA_INT, V4l2.OFFSET_AT, argument.get(JAVA_INT, 0) * BUFFER);
        return 0;
    }

    private int queue(MemorySegment argument) {
        queued.add(argument.get(JAVA_INT, 0));
        return 0;
    }

    private int dequeue(MemorySegment argument) {
        MemorySegment buffer = ready.poll();
        if (buffer == null) {
            return -V4l2.E_AGAIN;
        }
        argument.copyFrom(buffer);
        return 0;
    }

    private int stream(boolean on) {
        streaming = on;
        return 0;
    }

    private int parameters(MemorySegment argument) {
        double rate = pixels == code("MJPG") ? 60 : rawRate;
        argument.set(JAVA_INT, V4l2.PERIOD_AT, 1000);
        argument.set(JAVA_INT, V4l2.PERIOD_DENOMINATOR_AT, (int) (1000 * rate));
        return 0;
    }

    private int size(MemorySegment argument) {
        int index = argument.get(JAVA_INT, 0);
        argument.set(JAVA_INT, V4l2.FRAME_SIZE_TYPE_AT, V4l2.DISCRETE);
        argument.set(JAVA_INT, V4l2.FRAME_SIZE_WIDTH_AT, index == 0 ? 64 : 32);
        argument.set(JAVA_INT, V4l2.FRAME_SIZE_HEIGHT_AT, index == 0 ? 48 : 24);
        return index < 2 ? 0 : -V4l2.E_INVAL;
    }

    @Override
    public synchronized long map(int descriptor, long length, long offset) {
        mapped++;
        return memories.get((int) (offset / BUFFER)).address();
    }

    @Override
    public synchronized int unmap(long address, long length) {
        mapped--;
        return 0;
    }

    @Override
    public synchronized int poll(int descriptor, int millis) {
        if (ready.isEmpty() && !unplugged) {
            try {
                wait(millis);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return -V4l2.E_INTR;
            }
        }
        return unplugged ? 8 | 16 : ready.isEmpty() ? 0 : 1;
    }
}
