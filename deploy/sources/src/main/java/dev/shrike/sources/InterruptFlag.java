package dev.shrike.sources;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * Ends a call of FFmpeg that blocks: FFmpeg asks every 100 ms or so whether to go on, and is told no once the deadline
 * has passed, the source was closed or the thread was interrupted.
 *
 * <p>One function for all sources, whatever their number, whose argument is the address of the source's flag. JavaCPP's
 * own callbacks are not used: the eleventh live one of a kind silently has a null address, and each call makes garbage.
 */
final class InterruptFlag {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    private static final long STOPPED = 8;

    /** The garbage collector frees it, since stop may come at any time. */
    private final MemorySegment flag = Arena.ofAuto().allocate(16, 8);

    /** The function, made on first use and never freed. */
    private static final class Function {
        static final MemorySegment ADDRESS = make();

        private static MemorySegment make() {
            try {
                return Linker.nativeLinker().upcallStub(
                        MethodHandles.lookup().findStatic(InterruptFlag.class, "mustEnd",
                                MethodType.methodType(int.class, long.class)),
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, LONG), Arena.global());
            } catch (ReflectiveOperationException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** What FFmpeg calls. */
    private static int mustEnd(long address) {
        boolean ends = MEMORY.get(LONG, address + STOPPED) != 0
                || System.nanoTime() - MEMORY.get(LONG, address) > 0
                || Thread.currentThread().isInterrupted();
        return ends ? 1 : 0;
    }

    /** Writes function and argument into an {@code AVIOInterruptCB}. */
    void install(long callbackAddress) {
        MEMORY.set(ValueLayout.ADDRESS, callbackAddress, Function.ADDRESS);
        MEMORY.set(LONG, callbackAddress + 8, flag.address());
    }

    /** Calls that begin now may take so long. */
    void allow(long nanos) {
        flag.set(LONG, 0, System.nanoTime() + nanos);
    }

    /** Ends every call, for good; from any thread. */
    void stop() {
        flag.set(LONG, STOPPED, 1);
    }

    /** Whether the deadline is what ended a call. */
    boolean expired() {
        return System.nanoTime() - flag.get(LONG, 0) > 0;
    }
}
