package dev.shrike.graph;

import dev.shrike.ModelException;

/** Element type and shape of a value, without its name. */
public record TensorType(DataType type, Shape shape) {
    /** The most elements a tensor may have, so that an index fits an int everywhere. */
    static final long MAX_ELEMENTS = Integer.MAX_VALUE;

    /** The most dimensions a tensor may have: far more than any network's, and few enough to walk through often. */
    public static final int MAX_RANK = 64;

    /** This type, once its size was found to be sensible; open dimensions count as 1. */
    public TensorType checked(String what) {
        if (shape.rank() > MAX_RANK) {
            throw new ModelException(what + " has " + shape.rank() + " dimensions, more than " + MAX_RANK);
        }
        long elements = 1;
        for (long d : shape.dims()) {
            if (d > MAX_ELEMENTS) {
                throw tooLarge(what);
            }
            if (d > 1) {
                // Both factors are below 2^31, so the product cannot overflow.
                elements *= d;
            }
            if (elements > MAX_ELEMENTS) {
                throw tooLarge(what);
            }
        }
        return this;
    }

    private ModelException tooLarge(String what) {
        return new ModelException(what + " has shape " + shape + ", more than the " + MAX_ELEMENTS
                + " elements that a tensor may have");
    }
}
