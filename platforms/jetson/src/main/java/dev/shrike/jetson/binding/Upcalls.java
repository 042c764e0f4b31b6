package dev.shrike.jetson.binding;

import java.util.function.Supplier;

/**
 * Java code that C++ calls through functions which let no exception through: what it throws would end the process.
 * Whatever that is, an {@link Error} too, is kept, the code is not called again, and the Java side throws it once C++
 * has returned.
 */
final class Upcalls {
    private Throwable thrown;

    /** What the work gives, or the second value if this work or one before it has thrown. */
    synchronized <T> T attempt(Supplier<T> work, T otherwise) {
        if (thrown != null) {
            return otherwise;
        }
        try {
            return work.get();
        } catch (Throwable e) {
            thrown = e;
            return otherwise;
        }
    }

    /** Throws what was kept, if anything was. */
    synchronized void rethrow() {
        switch (thrown) {
            case null -> {
                // Nothing was thrown.
            }
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(thrown);
        }
    }

    /** What was kept, or null. */
    synchronized Throwable thrown() {
        return thrown;
    }
}
