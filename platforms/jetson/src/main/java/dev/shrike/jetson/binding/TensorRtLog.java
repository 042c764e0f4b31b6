package dev.shrike.jetson.binding;

import dev.shrike.DeviceException;
import dev.shrike.jetson.binding.TensorRt.LogLine;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.tensorrt.nvinfer.ILogger;

/**
 * Takes TensorRT's log. TensorRT may keep the first one it was given for as long as the process lives, whatever was
 * made with it: so they are never freed, but used again.
 */
final class TensorRtLog extends ILogger {
    private static final ReusedObjects<TensorRtLog> ALL = new ReusedObjects<>(TensorRtLog::new);

    private final MessageLog messages = new MessageLog();

    private TensorRtLog() {}

    /** One that tells the sink until it is given back. */
    static TensorRtLog to(Consumer<LogLine> sink) {
        TensorRtLog log = ALL.take();
        log.messages.tell(sink);
        return log;
    }

    void giveBack() {
        messages.tell(_ -> {});
        ALL.giveBack(this);
    }

    @Override
    public void log(Severity severity, String text) {
        messages.message(severity.value, text);
    }

    /** What an operation gives, which may be nothing. What was said before it is forgotten. */
    <T> T run(Supplier<T> operation) {
        return messages.run(operation);
    }

    DeviceException failure(String what) {
        return messages.failure(what);
    }

    /** What an operation of TensorRT gives, which must be something. */
    <T extends Pointer> T require(String what, Supplier<T> operation) {
        T made = messages.run(operation);
        if (made == null || made.isNull()) {
            throw failure(what);
        }
        return made;
    }

    /** For an operation that says whether it succeeded. */
    void requireDone(String what, BooleanSupplier operation) {
        if (!messages.run(operation::getAsBoolean)) {
            throw failure(what);
        }
    }
}
