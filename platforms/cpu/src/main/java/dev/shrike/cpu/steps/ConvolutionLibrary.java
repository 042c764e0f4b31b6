package dev.shrike.cpu.steps;

import dev.shrike.cpu.binding.BoundedPointer;
import dev.shrike.cpu.binding.View;
import dev.shrike.cpu.lowering.QuantizedConv;
import java.util.Optional;
import java.util.function.Function;

/** A library besides our own that runs convolutions. Its steps stay usable until it is closed. */
public interface ConvolutionLibrary extends AutoCloseable {
    /**
     * A step for a convolution of floats, or nothing where the library has no quick one.
     *
     * @param location native address of a view's first element; refuses views that leave their storage
     */
    Optional<Step> convolution(ConvTask task, Function<View, BoundedPointer> location);

    /**
     * A step from codes to what the requantisation of the epilogue gives, codes or floats, to the bit; nothing where
     * the library cannot do that. A table and a sum are left to the caller.
     */
    default Optional<Step> product(ConvTask task, QuantizedConv codes, Function<View, BoundedPointer> location) {
        return Optional.empty();
    }

    /** Name and version for people. */
    String description();

    /** Bytes of native memory held for weights and scratch. */
    long bytes();

    /** Called before each run of a plan with steps of this library. */
    default void beforeRun() {}

    @Override
    void close();
}
