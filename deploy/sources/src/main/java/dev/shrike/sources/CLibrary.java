package dev.shrike.sources;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * The C library's calls on devices, and its word on the clock. Linux of 64 bits.
 *
 * <p>The calls of every frame are made without asking for the error number first, and once more with it if they fail:
 * a call that brings the error number allocates a view of where it is written. What failed has changed nothing, and
 * where it does not fail again, that is the answer.
 */
final class CLibrary implements DeviceCalls {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final int READ_WRITE_WITHOUT_WAITING = 2 | 0x800;
    private static final int CLOSE_ON_EXEC = 0x80000;
    private static final int PROTECTION_READ_WRITE = 3;
    private static final int MAP_SHARED = 1;
    private static final short POLL_IN = 1;
    private static final int TIME_ERROR = 5;
    private static final int TIMEX_BYTES = 208;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final VarHandle ERROR = Linker.Option.captureStateLayout()
            .varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final MethodHandle OPEN = function("open", 2,
            FunctionDescriptor.of(INT, ValueLayout.ADDRESS, INT, INT));
    private static final MethodHandle CLOSE = function("close", -1, FunctionDescriptor.of(INT, INT));
    private static final MethodHandle IOCTL = function("ioctl", 2,
            FunctionDescriptor.of(INT, INT, LONG, ValueLayout.ADDRESS));
    private static final MethodHandle QUICK_IOCTL = quick("ioctl",
            FunctionDescriptor.of(INT, INT, LONG, ValueLayout.ADDRESS), Linker.Option.firstVariadicArg(2));
    private static final MethodHandle MMAP = function("mmap", -1,
            FunctionDescriptor.of(LONG, LONG, LONG, INT, INT, INT, LONG));
    private static final MethodHandle MUNMAP = function("munmap", -1, FunctionDescriptor.of(INT, LONG, LONG));
    private static final MethodHandle POLL = function("poll", -1,
            FunctionDescriptor.of(INT, ValueLayout.ADDRESS, LONG, INT));
    private static final MethodHandle QUICK_POLL = quick("poll",
            FunctionDescriptor.of(INT, ValueLayout.ADDRESS, LONG, INT));
    private static final MethodHandle QUICK_ADJTIMEX = quick("adjtimex",
            FunctionDescriptor.of(INT, ValueLayout.ADDRESS));
    private static final MethodHandle KILL = function("kill", -1, FunctionDescriptor.of(INT, INT, INT));

    /** Of this object's one thread. */
    private final MemorySegment error = Arena.ofAuto().allocate(Linker.Option.captureStateLayout());
    private final MemorySegment polled = Arena.ofAuto().allocate(8, 8);

    private static MethodHandle function(String name, int variadicFrom, FunctionDescriptor descriptor) {
        Linker.Option state = Linker.Option.captureCallState("errno");
        MemorySegment symbol = LINKER.defaultLookup().findOrThrow(name);
        return variadicFrom < 0
                ? LINKER.downcallHandle(symbol, descriptor, state)
                : LINKER.downcallHandle(symbol, descriptor, state, Linker.Option.firstVariadicArg(variadicFrom));
    }

    private static MethodHandle quick(String name, FunctionDescriptor descriptor, Linker.Option... options) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor, options);
    }

    private int result(int result) {
        return result == -1 ? -(int) ERROR.get(error, 0L) : result;
    }

    @Override
    public int open(String path) {
        try (Arena arena = Arena.ofConfined()) {
            return result((int) OPEN.invokeExact(error, arena.allocateFrom(path),
                    READ_WRITE_WITHOUT_WAITING | CLOSE_ON_EXEC, 0));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public int close(int descriptor) {
        try {
            return result((int) CLOSE.invokeExact(error, descriptor));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public int ioctl(int descriptor, long request, MemorySegment argument) {
        try {
            int quick = (int) QUICK_IOCTL.invokeExact(descriptor, request, argument);
            return quick >= 0 ? quick : result((int) IOCTL.invokeExact(error, descriptor, request, argument));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public long map(int descriptor, long length, long offset) {
        try {
            long address = (long) MMAP.invokeExact(error, 0L, length, PROTECTION_READ_WRITE, MAP_SHARED, descriptor,
                    offset);
            return address == -1 ? -(int) ERROR.get(error, 0L) : address;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public int unmap(long address, long length) {
        try {
            // With an error of its own: the thread that releases a frame may be another one.
            MemorySegment own = Arena.ofAuto().allocate(Linker.Option.captureStateLayout());
            return (int) MUNMAP.invokeExact(own, address, length);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public int poll(int descriptor, int millis) {
        polled.set(INT, 0, descriptor);
        polled.set(ValueLayout.JAVA_SHORT, 4, POLL_IN);
        polled.set(ValueLayout.JAVA_SHORT, 6, (short) 0);
        try {
            int ready = (int) QUICK_POLL.invokeExact(polled, 1L, millis);
            ready = ready >= 0 ? ready : result((int) POLL.invokeExact(error, polled, 1L, millis));
            return ready > 0 ? polled.get(ValueLayout.JAVA_SHORT, 6) : ready;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Memory for {@link #clockSynchronized}. */
    static MemorySegment clockState() {
        return Arena.ofAuto().allocate(TIMEX_BYTES, 8);
    }

    /** Whether the kernel's clock is synchronised with others; false where nobody can tell. */
    static boolean clockSynchronized(MemorySegment clockState) {
        try {
            // All zero asks only.
            int status = (int) QUICK_ADJTIMEX.invokeExact(clockState.fill((byte) 0));
            return status >= 0 && status != TIME_ERROR;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Sends a signal to a process, if it is there. */
    static void signal(long process, int signal) {
        try (Arena arena = Arena.ofConfined()) {
            int ignored = (int) KILL.invokeExact(arena.allocate(Linker.Option.captureStateLayout()), (int) process,
                    signal);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
