package dev.shrike.graph;

/**
 * What a node does. Semantics, input order and names follow the ONNX operator of the same name (opset 11 to 21), in
 * one normal form: what an older opset gives as an attribute and a newer one as an input is an input here (axes of
 * {@link Squeeze}, sizes of {@link Split}, pads of {@link Pad}, bounds of {@link Clip}, axes of {@link Reduce}). A
 * left-out optional input is the empty name.
 */
public sealed interface Op {
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
            ERF
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
            OR
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

    /** X, roi?, scales?, sizes?. */
    record Resize(Mode mode, Coordinates coordinates, Nearest nearest) implements Op {
        /** Interpolation. */
        public enum Mode {
            NEAREST,
            LINEAR
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

    /** X, pads, value?, axes?. Constant mode only. */
    record Pad() implements Op {}

    /** Depth to space; {@code depthColumnRow} is ONNX mode DCR, else CRD. */
    record DepthToSpace(int blockSize, boolean depthColumnRow) implements Op {}

    /** The shape of X from dimension start to end, as int64; {@link Integer#MAX_VALUE} stands for no end. */
    record ShapeOf(int start, int end) implements Op {}

    /** X, indices. */
    record Gather(int axis) implements Op {}

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

    /** X; gives its codes (UINT8), their scale and their zero point, as {@link MeasuredCodes} says. */
    record DynamicQuantizeLinear() implements Op {}

    /**
     * X, rounded to the 256 codes that its own range has ({@link MeasuredCodes}), as reals: what DynamicQuantizeLinear
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
