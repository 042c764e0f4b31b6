package dev.shrike.jetson.binding;

import dev.shrike.DeviceException;
import dev.shrike.jetson.binding.TensorRt.LogLine;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What TensorRT says: told on, and its warnings and errors kept for the exception of the operation that is under way.
 * TensorRT calls it from several threads.
 */
final class MessageLog {
    private static final int KEPT = 4;
    private static final int WARNING = 2;

    private final Deque<String> messages = new ArrayDeque<>();
    private volatile Consumer<LogLine> sink = _ -> {};
    private volatile Error thrown;

    /** Forgets everything and tells that sink from now on. */
    void tell(Consumer<LogLine> listener) {
        sink = listener;
        thrown = null;
        forget();
    }

    private void forget() {
        synchronized (messages) {
            messages.clear();
        }
    }

    /** Takes a message from C++, into which nothing may be thrown. */
    void message(int severity, String text) {
        try {
            if (severity <= WARNING) {
                synchronized (messages) {
                    messages.addLast(text.strip());
                    if (messages.size() > KEPT) {
                        messages.removeFirst();
                    }
                }
            }
            sink.accept(new LogLine(severity, text));
        } catch (Exception e) {
            System.getLogger(TensorRtLibrary.class.getName()).log(System.Logger.Level.WARNING, "log", e);
        } catch (Throwable e) {
            thrown = e instanceof Error error ? error : new AssertionError(e);
        }
    }

    /**
     * What an operation gives. What was said before it is forgotten.
     *
     * @throws Error if one was thrown while a message was taken
     */
    <T> T run(Supplier<T> operation) {
        forget();
        T result = operation.get();
        Error error = thrown;
        if (error != null) {
            thrown = null;
            throw error;
        }
        return result;
    }

    /** The error of the last operation, with what was said meanwhile. */
    DeviceException failure(String what) {
        synchronized (messages) {
            String said = messages.isEmpty() ? "TensorRT gives no reason" : String.join(" | ", messages);
            messages.clear();
            boolean memory = said.toLowerCase(Locale.ROOT).contains("memory");
            return new DeviceException(what + " failed: " + said
                    + (memory ? "; close other programs, or use a smaller input or workspace" : ""));
        }
    }
}
