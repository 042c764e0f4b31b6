package dev.shrike.vision;

import dev.shrike.spi.Binding;

/** Checks of the memory behind bindings, before native code or unchecked strides touch it. */
public final class Bindings {
    private Bindings() {}

    /**
     * Fails unless every element lies within the memory.
     *
     * @throws IllegalArgumentException if a stride is negative or leads past the end, or a dimension is not positive
     */
    public static void requireMemory(Binding binding) {
        long last = 0;
        for (int d = 0; d < binding.dims().size(); d++) {
            int dim = binding.dims().get(d);
            int stride = binding.strides().get(d);
            if (dim <= 0 || stride < 0) {
                throw new IllegalArgumentException(binding.name() + ": dims " + binding.dims() + " with strides "
                        + binding.strides());
            }
            last = Math.addExact(last, Math.multiplyExact((long) stride, dim - 1L));
        }
        long needed = Math.multiplyExact(Math.addExact(last, 1L), (long) Float.BYTES);
        if (binding.memory().byteSize() < needed) {
            throw new IllegalArgumentException(binding.name() + ": dims " + binding.dims() + " with strides "
                    + binding.strides() + " need " + needed + " bytes, there are " + binding.memory().byteSize());
        }
    }
}
