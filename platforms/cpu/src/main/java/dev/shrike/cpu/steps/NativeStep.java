package dev.shrike.cpu.steps;

import dev.shrike.cpu.binding.NativeLibrary;
import java.lang.invoke.MethodHandle;

/** A call of one {@code libshrike} operation on prepared parameters. */
public final class NativeStep extends Step {
    private final NativeLibrary library;
    private final MethodHandle operation;
    private final long context;
    private final long params;

    public NativeStep(
            String node, String kernel, long macs, NativeLibrary library, MethodHandle operation, long context,
            long params) {
        super(node, kernel, macs);
        this.library = library;
        this.operation = operation;
        this.context = context;
        this.params = params;
    }

    @Override
    public int execute() {
        try {
            return (int) operation.invokeExact(context, params);
        } catch (Throwable t) {
            throw NativeLibrary.unexpected(t);
        }
    }

    @Override
    public String statusText(int status) {
        return library.describe(status) + " (status " + status + ")";
    }
}
