package dev.shrike.cpu;

import java.lang.invoke.MethodHandle;

/** A call of one {@code libshrike} operation on prepared parameters. */
final class NativeStep extends Step {
    private final NativeLibrary library;
    private final MethodHandle operation;
    private final long context;
    private final long params;

    NativeStep(
            String node, String kernel, long macs, NativeLibrary library, MethodHandle operation, long context,
            long params) {
        super(node, kernel, macs);
        this.library = library;
        this.operation = operation;
        this.context = context;
        this.params = params;
    }

    @Override
    int execute() {
        try {
            return (int) operation.invokeExact(context, params);
        } catch (Throwable t) {
            throw NativeLibrary.unexpected(t);
        }
    }

    @Override
    String statusText(int status) {
        return library.describe(status) + " (status " + status + ")";
    }
}
