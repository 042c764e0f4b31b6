package dev.shrike.app.serve.systemd;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What systemd is to a service: a unix socket that takes datagrams. */
public final class DatagramReceiver implements AutoCloseable {
    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MOST_BYTES = 4096;

    private final String address;
    private final int descriptor;

    /** At a path, or at a name in the abstract name space behind an at sign. */
    public DatagramReceiver(String address) throws Throwable {
        this.address = address;
        descriptor = (int) function("socket", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT)).invokeExact(AF_UNIX, SOCK_DGRAM, 0);
        byte[] name = address.getBytes(StandardCharsets.UTF_8);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate(110);
            target.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(name, 0, target, ValueLayout.JAVA_BYTE, 2, name.length);
            boolean hidden = name[0] == '@';
            if (hidden) {
                target.set(ValueLayout.JAVA_BYTE, 2, (byte) 0);
            }
            int bound = (int) function("bind", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
                    ValueLayout.ADDRESS, ValueLayout.JAVA_INT)).invokeExact(descriptor, target,
                            2 + name.length + (hidden ? 0 : 1));
            if (bound != 0) {
                throw new IllegalStateException("cannot bind " + address);
            }
        }
    }

    private static MethodHandle function(String name, FunctionDescriptor type) {
        return Linker.nativeLinker().downcallHandle(Linker.nativeLinker().defaultLookup().findOrThrow(name), type);
    }

    /** All that has come and was not asked for yet. */
    public List<String> received() throws Throwable {
        MethodHandle receive = function("recv", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
        List<String> all = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(MOST_BYTES);
            while (true) {
                long bytes = (long) receive.invokeExact(descriptor, buffer, (long) MOST_BYTES, MSG_DONTWAIT);
                if (bytes < 0) {
                    return all;
                }
                all.add(new String(buffer.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8));
            }
        }
    }

    @Override
    public void close() throws IOException {
        try {
            int closed = (int) function("close",
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT)).invokeExact(descriptor);
            if (closed != 0) {
                throw new IllegalStateException("cannot close " + address);
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
        if (!address.startsWith("@")) {
            Files.deleteIfExists(Path.of(address));
        }
    }
}
