package dev.shrike.app.serve.systemd;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;

/**
 * The binding to the C library's datagrams over unix sockets, which the JDK has not: {@code socket}, {@code sendto},
 * {@code close}. Each message opens and closes a socket: there is one every few seconds.
 */
final class UnixDatagram {
    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int SOCK_NONBLOCK = 0x800;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int FAMILY_BYTES = 2;
    /** {@code sizeof(sun_path)}. */
    private static final int MOST_PATH_BYTES = 108;

    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final Linker.Option KEEP_ERRNO = Linker.Option.captureCallState("errno");

    private final MethodHandle socket;
    private final MethodHandle sendTo;
    private final MethodHandle close;

    /** Binds the functions. */
    UnixDatagram() {
        socket = function("socket", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        sendTo = function("sendto", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT));
        close = function("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    }

    private static MethodHandle function(String name, FunctionDescriptor type) {
        SymbolLookup library = Linker.nativeLinker().defaultLookup();
        return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), type, KEEP_ERRNO);
    }

    /**
     * Sends one datagram; never waits.
     *
     * @param address a path, or a name in the abstract name space behind an at sign
     * @throws IOException if nobody takes it; has the number of the error
     */
    void send(String address, String message) throws IOException {
        byte[] name = address.getBytes(StandardCharsets.UTF_8);
        if (name.length < 2 || name.length >= MOST_PATH_BYTES || name[0] != '/' && name[0] != '@') {
            throw new IOException("'" + address + "' is no address of a unix socket");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocateFrom(message);
            // struct sockaddr_un; an abstract name begins with a zero and has none at its end.
            MemorySegment target = arena.allocate(FAMILY_BYTES + MOST_PATH_BYTES);
            target.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(name, 0, target, ValueLayout.JAVA_BYTE, FAMILY_BYTES, name.length);
            boolean hidden = name[0] == '@';
            if (hidden) {
                target.set(ValueLayout.JAVA_BYTE, FAMILY_BYTES, (byte) 0);
            }
            int length = FAMILY_BYTES + name.length + (hidden ? 0 : 1);
            MemorySegment state = arena.allocate(STATE);
            send(state, target, length, text, text.byteSize() - 1);
        }
    }

    private void send(MemorySegment state, MemorySegment target, int length, MemorySegment text, long bytes)
            throws IOException {
        try {
            int descriptor =
                    (int) socket.invokeExact(state, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            if (descriptor < 0) {
                throw new IOException("socket: error " + (int) ERRNO.get(state, 0L));
            }
            try {
                long sent = (long) sendTo.invokeExact(state, descriptor, text, bytes, MSG_NOSIGNAL, target, length);
                if (sent != bytes) {
                    throw new IOException("sendto: error " + (int) ERRNO.get(state, 0L));
                }
            } finally {
                int closed = (int) close.invokeExact(state, descriptor);
            }
        } catch (IOException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
