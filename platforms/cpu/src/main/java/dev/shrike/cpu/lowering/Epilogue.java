package dev.shrike.cpu.lowering;

import dev.shrike.graph.Activation;
import dev.shrike.graph.kernels.LookupTable;
import dev.shrike.graph.quantization.ActivationEpilogue;
import dev.shrike.graph.quantization.QuantizedAdd;
import dev.shrike.graph.quantization.Requantization;
import java.util.Objects;

/**
 * What turns the sums of a convolution of codes into its result. Where a channel's sums give few codes, the step that
 * runs it compares with thresholds instead, which the C library finds and which give the same codes.
 */
public sealed interface Epilogue {
    /** From sums to codes, or to floats. */
    Requantization requantization();

    /**
     * Floats, to which an activation function and, if there is one, a residual of floats are applied.
     *
     * @param requantization from sums to floats
     * @param activation the function
     */
    record Floats(Requantization requantization, Activation activation) implements Epilogue {
        public Floats {
            Objects.requireNonNull(requantization, "requantization");
            Objects.requireNonNull(activation, "activation");
        }
    }

    /**
     * Codes.
     *
     * @param requantization from sums to codes
     * @param table applied to the codes, or null
     * @param sum adds a residual of codes to what that gives, or null if there is none
     */
    record Codes(Requantization requantization, LookupTable table, QuantizedAdd sum) implements Epilogue {
        public Codes {
            Objects.requireNonNull(requantization, "requantization");
        }

        /** Codes as they are. */
        public Codes(Requantization requantization) {
            this(requantization, null, null);
        }
    }

    /**
     * Codes of what an activation function gives, or of its sum with a residual of codes.
     *
     * @param requantization from sums to floats
     * @param activation from these floats, and a residual that it weighs, to codes
     * @param sum adds a residual to the codes, or null if there is none or the activation weighs it
     */
    record Activated(Requantization requantization, ActivationEpilogue activation, QuantizedAdd sum)
            implements
            Epilogue {
        public Activated {
            Objects.requireNonNull(requantization, "requantization");
            if (activation.residual() > 0 && sum != null) {
                throw new IllegalArgumentException("two residuals");
            }
        }
    }
}
