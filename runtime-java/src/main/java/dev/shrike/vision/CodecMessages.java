package dev.shrike.vision;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Hears what the JPEG and PNG libraries inside OpenCV say about an image. They report damage only by printing to C's
 * {@code stderr}, decode what they can and return success; so the half of an image that did arrive would pass for a
 * whole one, and the text would land among the program's own messages.
 *
 * <p>While an action runs, the C library's {@code stderr} variable points to a stream in memory. File descriptor 2,
 * {@code System.err} and the JVM's own output are not touched. One action runs at a time. Where the C library lacks
 * what this needs, actions just run and nothing is heard.
 */
final class CodecMessages {
    private static final AddressLayout POINTER = ValueLayout.ADDRESS;
    private static final int CAPACITY = 4096;
    private static final int UNBUFFERED = 2; // _IONBF
    private static final ReentrantLock LOCK = new ReentrantLock();
    private static final CodecMessages STREAM = open();

    private final MemorySegment stderr;
    private final MemorySegment stream;
    private final MemorySegment text;
    private final MethodHandle rewind;

    private CodecMessages(MemorySegment stderr, MemorySegment stream, MemorySegment text, MethodHandle rewind) {
        this.stderr = stderr;
        this.stream = stream;
        this.text = text;
        this.rewind = rewind;
    }

    /** A result and what was printed on the way to it, empty if nothing was. */
    record Heard<T>(T result, String messages) {}

    /** Whether anything can be heard here. */
    static boolean areHeard() {
        return STREAM != null;
    }

    /** Runs the action and keeps what it prints; errors of the action pass through. */
    static <T> Heard<T> listen(Supplier<T> action) {
        if (STREAM == null) {
            return new Heard<>(action.get(), "");
        }
        LOCK.lock();
        try {
            return STREAM.swapped(action);
        } finally {
            LOCK.unlock();
        }
    }

    private <T> Heard<T> swapped(Supplier<T> action) {
        text.fill((byte) 0);
        call(rewind, stream);
        MemorySegment before = stderr.get(POINTER, 0);
        stderr.set(POINTER, 0, stream);
        T result;
        try {
            result = action.get();
        } finally {
            stderr.set(POINTER, 0, before);
        }
        return new Heard<>(result, text.getString(0, StandardCharsets.ISO_8859_1));
    }

    private static CodecMessages open() {
        Linker linker = Linker.nativeLinker();
        SymbolLookup libc = linker.defaultLookup();
        if (libc.find("stderr").isEmpty() || libc.find("fmemopen").isEmpty()) {
            return null;
        }
        MethodHandle fmemopen = linker.downcallHandle(libc.findOrThrow("fmemopen"),
                FunctionDescriptor.of(POINTER, POINTER, ValueLayout.JAVA_LONG, POINTER));
        MethodHandle setvbuf = linker.downcallHandle(libc.findOrThrow("setvbuf"), FunctionDescriptor
                .of(ValueLayout.JAVA_INT, POINTER, POINTER, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
        MethodHandle rewind =
                linker.downcallHandle(libc.findOrThrow("rewind"), FunctionDescriptor.ofVoid(POINTER));
        // Kept for ever: a thread of some other library may hold the stream for a moment longer than the action runs.
        Arena arena = Arena.global();
        // One byte more than the stream may write, so that the text always ends.
        MemorySegment text = arena.allocate(CAPACITY + 1);
        MemorySegment stream =
                (MemorySegment) call(fmemopen, text, (long) CAPACITY, arena.allocateFrom("w"));
        if (stream.equals(MemorySegment.NULL)) {
            return null;
        }
        call(setvbuf, stream, MemorySegment.NULL, UNBUFFERED, 0L);
        return new CodecMessages(libc.findOrThrow("stderr").reinterpret(POINTER.byteSize()), stream, text, rewind);
    }

    private static Object call(MethodHandle function, Object... arguments) {
        try {
            return function.invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new IllegalStateException("a call of the C library failed", e);
        }
    }
}
