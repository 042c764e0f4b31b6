package dev.shrike.training;

import dev.shrike.files.Range;
import java.util.Locale;
import java.util.Objects;

/**
 * A penalty on the gammas of batch normalisation, which draws those of channels that matter little to 0, so that the
 * channels can be pruned (Liu et al. 2017, network slimming; Zhang et al. 2019, SlimYOLOv3).
 *
 * @param method how the factor is divided
 * @param factor of the L1 norm of the gammas
 */
public record SparseTraining(Method method, double factor) {
    /** Shares of the factor that gammas get. */
    public enum Method {
        /** The same for all, always. */
        CONSTANT,
        /**
         * A factor that falls with half a cosine, but stays for the smaller half of all gammas: a soft mask, which they
         * may
         * leave again (CDSC of Pruned-YOLO, Zhang et al. 2022).
         */
        COSINE,
        /**
         * The more, the smaller a gamma is among those of its layer: reweighted L1 (Candes et al. 2008), filter by
         * filter.
         */
        FILTER_WISE,
        /** In proportion to the multiplications that a channel of the layer costs. */
        COMPUTE_WEIGHTED;

        /** The method of a name such as {@code filter-wise}. */
        public static Method of(String name) {
            for (Method method : values()) {
                if (method.label().equals(name.toLowerCase(Locale.ROOT))) {
                    return method;
                }
            }
            throw new IllegalArgumentException("'" + name + "' is none of constant, cosine, filter-wise,"
                    + " compute-weighted");
        }

        /** Its name: {@code filter-wise}. */
        public String label() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    public SparseTraining {
        Objects.requireNonNull(method, "method");
        Range.requireAboveZero("factor of sparse training", factor, 1);
    }
}
