package dev.shrike.graph;

/**
 * What a node does. Semantics, input order and names follow the ONNX operator of the same name (opset 11 to 24), in
 * one normal form: what an older opset gives as an attribute and a newer one as an input is an input here (axes of
 * {@link Squeeze}, sizes of {@link Split}, pads of {@link Pad}, bounds of {@link Clip}, axes of {@link Reduce}). A
 * left-out optional input is the empty name.
 */
public sealed interface Op {
    /**
     * Whether every element of the results is an element of the first input, or the largest of some of them, so that
     * what holds of all elements, such as their quantisation, holds of the results too.
     */
    default boolean movesData() {
        return switch (this) {
            case MaxPool _,Split _,Slice _,Gather _,Expand _,Tile _ -> true;
            case Reshape _,Flatten _,Squeeze _,Unsqueeze _,Transpose _,DepthToSpace _ -> true;
            case Resize resize -> resize.mode() == Resize.Mode.NEAREST;
            default -> false;
        };
    }

    /** Convolution: X, W[, B[, R]]. After bias and activation the residual R, of the output's shape, is added. */
    record Conv(Window window, int group, Activation activation) implements Op {}

    /** Inference batch normalisation: X, scale, B, mean, variance. */
    record BatchNormalization(float epsilon) implements Op {}

    record MatMul() implements Op {}

    /** {@code alpha * A' * B' + beta * C}. */
    record Gemm(float alpha, float beta, boolean transA, boolean transB) implements Op {}

    /** An element-wise function of one input; alpha and beta as in {@link Activation} or ONNX. */
    record Unary(Kind kind, float alpha, float beta) implements Op {
        /** The functions. */
        public enum Kind {
            SIGMOID,
            SILU,
            RELU,
            LEAKY_RELU,
            HARD_SIGMOID,
            HARD_SWISH,
            TANH,
            EXP,
            LOG,
            SQRT,
            NEG,
            ABS,
            FLOOR,
            CEIL,
            ROUND,
            RECIPROCAL,
            SIGN,
            NOT,
            ERF,
            /** {@code log(1 + e^x)}. */
            SOFTPLUS,
            /** {@code x * tanh(softplus(x))}. */
            MISH,
            /** {@code x} above 0, else {@code alpha * (e^x - 1)}. */
            ELU,
            /** {@code beta} times ELU. */
            SELU,
            /** {@code x} above 0, else {@code alpha * (e^(x / alpha) - 1)}. */
            CELU,
            /** {@code x / 2 * (1 + erf(x / sqrt(2)))}. */
            GELU,
            /** {@code x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))}. */
            GELU_TANH,
            /** {@code x / (1 + |x|)}. */
            SOFTSIGN,
            /** {@code x} above {@code alpha}, else 0. */
            THRESHOLDED_RELU,
            SIN,
            COS,
            ATAN
        }

        /** A function without parameters. */
        public static Unary of(Kind kind) {
            return new Unary(kind, 0, 0);
        }
    }

    /** An element-wise function of two inputs with NumPy broadcasting. */
    record Binary(Kind kind) implements Op {
        /** The functions. */
        public enum Kind {
            ADD,
            SUB,
            MUL,
            DIV,
            POW,
            MIN,
            MAX,
            MOD,
            EQUAL,
            GREATER,
            GREATER_OR_EQUAL,
            LESS,
            LESS_OR_EQUAL,
            AND,
            OR,
            XOR,
            /** {@code x} from 0 on, else {@code x * y}; unlike the others it has the shape of X. */
            PRELU
        }
    }

    /** X, min?, max?. */
    record Clip() implements Op {}

    record Cast(DataType to) implements Op {}

    record Softmax(int axis) implements Op {}

    record MaxPool(Window window, boolean ceilMode) implements Op {}

    record AveragePool(Window window, boolean ceilMode, boolean countIncludePad) implements Op {}

    record GlobalAveragePool() implements Op {}

    /** X, axes?; no axes means all dimensions. */
    record Reduce(Kind kind, boolean keepDims) implements Op {
        /** The functions. */
        public enum Kind {
            MEAN,
            SUM,
            MAX,
            MIN,
            PROD
        }
    }

    /**
     * X, roi?, scales?, sizes?.
     *
     * @param cubicCoefficient ONNX {@code cubic_coeff_a}; counts only for {@link Mode#CUBIC}
     * @param excludeOutside whether cubic weights outside the image are 0, and the others made to add up to 1
     */
    record Resize(
            Mode mode, Coordinates coordinates, Nearest nearest, float cubicCoefficient, boolean excludeOutside)
            implements Op {
        /** A resizing with ONNX's defaults of what only cubic interpolation has. */
        public Resize(Mode mode, Coordinates coordinates, Nearest nearest) {
            this(mode, coordinates, nearest, -0.75f, false);
        }

        /** Whether a result depends on more than two elements along an axis. */
        public boolean isFilter() {
            return mode == Mode.CUBIC;
        }

        /** Interpolation. */
        public enum Mode {
            NEAREST,
            LINEAR,
            CUBIC
        }

        /** ONNX {@code coordinate_transformation_mode}. */
        public enum Coordinates {
            ASYMMETRIC,
            HALF_PIXEL,
            PYTORCH_HALF_PIXEL,
            ALIGN_CORNERS
        }

        /** ONNX {@code nearest_mode}. */
        public enum Nearest {
            FLOOR,
            CEIL,
            ROUND_PREFER_FLOOR,
            ROUND_PREFER_CEIL
        }
    }

    record Concat(int axis) implements Op {}

    /** X, sizes?; without sizes the outputs share the axis equally, as ONNX {@code num_outputs} says. */
    record Split(int axis) implements Op {}

    /** X, starts, ends, axes?, steps?. */
    record Slice() implements Op {}

    /** X, shape. */
    record Reshape(boolean allowZero) implements Op {}

    /** Dimension i of the result is dimension {@code permutation[i]} of X; an empty list reverses all of them. */
    record Transpose(java.util.List<Integer> permutation) implements Op {
        public Transpose {
            permutation = java.util.List.copyOf(permutation);
        }
    }

    record Flatten(int axis) implements Op {}

    /** X, axes?. */
    record Squeeze() implements Op {}

    /** X, axes. */
    record Unsqueeze() implements Op {}

    /** X, pads, value?, axes?; the value counts only for {@link Mode#CONSTANT}. */
    record Pad(Mode mode) implements Op {
        /** Padding with a value. */
        public Pad() {
            this(Mode.CONSTANT);
        }

        /** What the new elements are. */
        public enum Mode {
            CONSTANT,
            /** The elements mirrored at the first and the last one, which are not repeated. */
            REFLECT,
            /** The nearest element. */
            EDGE,
            /** The elements from the other end. */
            WRAP
        }
    }

    /** Depth to space; {@code depthColumnRow} is ONNX mode DCR, else CRD. */
    record DepthToSpace(int blockSize, boolean depthColumnRow) implements Op {}

    /** Space to depth: channel {@code (row * blockSize + column) * C + c} of a block has pixel (row, column) of c. */
    record SpaceToDepth(int blockSize) implements Op {
        public SpaceToDepth {
            if (blockSize < 1) {
                throw new IllegalArgumentException("block size " + blockSize + " is not positive");
            }
        }
    }

    /** The shape of X from dimension start to end, as int64; {@link Integer#MAX_VALUE} stands for no end. */
    record ShapeOf(int start, int end) implements Op {}

    /** X, indices. */
    record Gather(int axis) implements Op {}

    /** X, indices; each index names an element along the axis at its own place. */
    record GatherElements(int axis) implements Op {}

    /** X, indices, the last dimension of which holds places in X behind the batch dimensions. */
    record GatherNd(int batchDims) implements Op {}

    /** How what is scattered joins what is there. */
    enum Reduction {
        NONE,
        ADD,
        MUL,
        MIN,
        MAX
    }

    /** X, indices, updates: X with updates at the places that indices name along the axis. */
    record ScatterElements(int axis, Reduction reduction) implements Op {}

    /** X, indices, updates: X with updates at the places that the last dimension of indices holds. */
    record ScatterNd(Reduction reduction) implements Op {}

    /** X, k: the largest or smallest values along the axis in order, and where they were; the first of equals first. */
    record TopK(int axis, boolean largest) implements Op {}

    /** X; where along the axis the largest or smallest value is. */
    record ArgExtreme(boolean largest, int axis, boolean keepDims, boolean selectLast) implements Op {}

    /** X; 1 at the first largest element along the axis, else 0. */
    record Hardmax(int axis) implements Op {}

    /** indices, depth, values (off, on). */
    record OneHot(int axis) implements Op {}

    /** X, k?: the upper or lower triangle of matrices from the k-th diagonal on, 0 elsewhere. */
    record Trilu(boolean upper) implements Op {}

    /** X, axis: sums of what comes before an element, and of it itself unless exclusive. */
    record CumSum(boolean exclusive, boolean reverse) implements Op {}

    /** start, limit, delta. */
    record Range() implements Op {}

    /** X, shape. */
    record Expand() implements Op {}

    /** X, repeats. */
    record Tile() implements Op {}

    /** condition, X, Y. */
    record Where() implements Op {}

    /** shape; every element is {@code value}'s only one. */
    record ConstantOfShape(Tensor value) implements Op {}

    record Identity() implements Op {}

    /** X, scale, zero point?. The output type is the zero point's, or {@code type}. */
    record QuantizeLinear(int axis, DataType type) implements Op {}

    /** X, scale, zero point?. */
    record DequantizeLinear(int axis) implements Op {}

    /** X; gives its codes (UINT8), their scale and their zero point, as the parameters of that range says. */
    record DynamicQuantizeLinear() implements Op {}

    /**
     * X, rounded to the 256 codes that its own range has (the parameters of that range), as floats: what
     * DynamicQuantizeLinear
     * and DequantizeLinear make of it.
     */
    record DynamicQuant() implements Op {}

    /** QONNX: X, scale, zero point, bit width; rounds and clamps but keeps real values. */
    record Quant(boolean signed, boolean narrow, String roundingMode) implements Op {}

    /** QONNX: X, scale; the sign of X (0 counts as +1) times the scale. */
    record BipolarQuant() implements Op {}

    /** QONNX: X, scale, zero point, input bit width, output bit width; cuts low bits off. */
    record Trunc(String roundingMode) implements Op {}
}
