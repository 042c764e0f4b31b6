package dev.shrike.graph.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.OnnxRuntime;
import dev.shrike.graph.Op.Resize.Coordinates;
import dev.shrike.graph.Op.Resize.Mode;
import dev.shrike.graph.Op.Resize.Nearest;
import dev.shrike.graph.Op;
import dev.shrike.graph.Sameness;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window.AutoPad;
import dev.shrike.graph.Window;
import dev.shrike.graph.inference.ShapeInference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every operation that ONNX Runtime has gives what ONNX Runtime gives. */
class OnnxRuntimeAgreementTest {
    private final SplittableRandom random = new SplittableRandom(20);
    private final List<DynamicTest> tests = new ArrayList<>();

    @TestFactory
    List<DynamicTest> sameResults() {
        elementWise();
        convolutions();
        pools();
        resizes();
        layouts();
        products();
        quantization();
        return tests;
    }

    private Tensor floats(long... dims) {
        return Sameness.randomTensor(random, DataType.FLOAT32, Shape.of(dims), -3, 3);
    }

    /** Operands before {@code constants} are inputs of the graph, the others constants; null is a left-out input. */
    private void test(String name, Op op, int inputs, Tensor... operands) {
        test(name, op, 1, inputs, operands);
    }

    private void test(String name, Op op, int results, int inputs, Tensor... operands) {
        Graph constant = GraphBuilder.single(op, results, operands);
        Map<String, Tensor> given = new HashMap<>();
        Map<String, Tensor> constants = new HashMap<>(constant.constants());
        List<ValueInfo> infos = new ArrayList<>();
        for (int i = 0; i < inputs; i++) {
            String input = "c" + i;
            given.put(input, constants.remove(input));
            infos.add(new ValueInfo(input, operands[i].type(), operands[i].shape()));
        }
        Graph open = new Graph("test", infos, constant.outputs(), constant.nodes(), constants, Map.of(), Map.of());
        tests.add(DynamicTest.dynamicTest(name + " " + op, () -> {
            Map<String, ValueInfo> types = ShapeInference.infer(open);
            List<ValueInfo> outputs = open.outputs().stream().map(output -> types.get(output.name())).toList();
            Graph graph = open.withOutputs(outputs);
            Map<String, Tensor> expected = OnnxRuntime.run(graph, given);
            Map<String, Tensor> found = ReferenceEvaluator.run(graph, given, expected.keySet());
            for (ValueInfo output : outputs) {
                assertEquals(output.shape(), expected.get(output.name()).shape(), "inferred shape");
                assertEquals(expected.get(output.name()).type(), found.get(output.name()).type(), "type");
                Sameness.assertClose(expected.get(output.name()), found.get(output.name()), 2e-5, name);
            }
        }));
    }

    private void elementWise() {
        for (Op.Unary.Kind kind : Op.Unary.Kind.values()) {
            Tensor x = switch (kind) {
                case LOG, SQRT, RECIPROCAL -> Sameness.randomTensor(random, DataType.FLOAT32, Shape.of(2, 9), 0.1, 4);
                case NOT -> Tensor.of(DataType.BOOL, Shape.of(3), 0, 1, 1);
                case ROUND -> Tensor.ofFloats(Shape.of(8), -2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f, 0.4f, -7.6f);
                case RELU, SIGMOID, SILU, LEAKY_RELU, HARD_SIGMOID, HARD_SWISH, TANH, EXP, NEG, ABS, FLOOR, CEIL, SIGN,
                        ERF, SOFTPLUS, MISH, ELU, SELU, CELU, GELU, GELU_TANH, SOFTSIGN, THRESHOLDED_RELU, SIN, COS,
                        ATAN ->
                    Tensor.ofFloats(Shape.of(9), -9, -3, -1.3f, -0.2f, 0, 0.7f, 1, 2.6f, 8);
            };
            test("unary", new Op.Unary(kind, kind == Op.Unary.Kind.HARD_SIGMOID ? 0.3f : 0.1f, 0.4f), 1, x);
        }
        Tensor ints = Tensor.ofLongs(Shape.of(2, 1, 3), 7, -7, 5, -5, 0, 9);
        Tensor divisors = Tensor.ofLongs(Shape.of(4, 1), 2, -3, 4, -5);
        for (Op.Binary.Kind kind : Op.Binary.Kind.values()) {
            Op.Binary op = new Op.Binary(kind);
            if (kind == Op.Binary.Kind.PRELU) {
                test("slopes", op, 2, Tensor.ofFloats(Shape.of(2, 2), -1, 2, -0.5f, -3),
                        Tensor.ofFloats(Shape.of(2, 1), 0.5f, -2));
                continue;
            }
            if (kind == Op.Binary.Kind.AND || kind == Op.Binary.Kind.OR || kind == Op.Binary.Kind.XOR) {
                test("truths", op, 2, Tensor.of(DataType.BOOL, Shape.of(2, 1), 0, 1),
                        Tensor.of(DataType.BOOL, Shape.of(2), 0, 1));
                continue;
            }
            if (kind != Op.Binary.Kind.POW) {
                test("integers", op, 2, ints, divisors);
            }
            if (kind != Op.Binary.Kind.MOD) {
                Tensor x = kind == Op.Binary.Kind.POW
                        ? Sameness.randomTensor(random, DataType.FLOAT32, Shape.of(2, 3, 1), 0.1, 3) : floats(2, 3, 1);
                test("floats", op, 2, x, floats(3, 4));
            }
        }
        test("both", new Op.Clip(), 1, floats(20), Tensor.scalar(-1), Tensor.scalar(0.5f));
        test("low", new Op.Clip(), 1, floats(20), Tensor.scalar(-1));
        test("high", new Op.Clip(), 1, floats(20), null, Tensor.scalar(1));
        test("crossed", new Op.Clip(), 1, floats(20), Tensor.scalar(1), Tensor.scalar(-1));
        for (DataType to : List.of(DataType.INT64, DataType.INT32, DataType.INT8, DataType.BOOL, DataType.FLOAT32)) {
            test("cast", new Op.Cast(to), 1, floats(30));
        }
        test("cast integers", new Op.Cast(DataType.FLOAT32), 1, ints);
        test("where", new Op.Where(), 3, Tensor.of(DataType.BOOL, Shape.of(2, 1), 0, 1), floats(3), floats(1, 3));
        for (int axis = -2; axis < 3; axis++) {
            test("softmax", new Op.Softmax(axis), 1, floats(2, 3, 4));
        }
    }

    private void convolutions() {
        for (int i = 0; i < 40; i++) {
            int group = 1 + random.nextInt(3);
            AutoPad pad = AutoPad.values()[random.nextInt(4)];
            int[] p = {random.nextInt(3), random.nextInt(3), random.nextInt(3), random.nextInt(3)};
            if (pad != AutoPad.EXPLICIT) {
                p = new int[4];
            }
            // ONNX Runtime has no dilation with padding to the same size.
            int most = pad == AutoPad.SAME_UPPER || pad == AutoPad.SAME_LOWER ? 1 : 2;
            Window window = new Window(1 + random.nextInt(3), 1 + random.nextInt(4), 1 + random.nextInt(2),
                    1 + random.nextInt(3), p[0], p[1], p[2], p[3], 1 + random.nextInt(most), 1 + random.nextInt(most),
                    pad);
            int inputs = group * (1 + random.nextInt(2));
            int outputs = group * (1 + random.nextInt(2));
            Tensor x = floats(2, inputs, 9 + random.nextInt(3), 11);
            Tensor w = floats(outputs, inputs / group, window.kernelHeight(), window.kernelWidth());
            Tensor bias = random.nextBoolean() ? floats(outputs) : null;
            Op.Conv op = new Op.Conv(window, group, Activation.NONE);
            test("convolution " + i, op, 1, x, w, bias);
        }
        for (Activation.Kind kind : Activation.Kind.values()) {
            Activation activation = new Activation(kind, kind == Activation.Kind.CLIP ? -0.5f : 0.2f, 0.6f);
            test("activation", new Op.Conv(Window.square(3, 1, 1), 1, activation), 1, floats(1, 2, 5, 5),
                    floats(3, 2, 3, 3), floats(3), floats(1, 3, 5, 5));
        }
    }

    private void pools() {
        for (int i = 0; i < 60; i++) {
            AutoPad pad = AutoPad.values()[random.nextInt(4)];
            boolean explicit = pad == AutoPad.EXPLICIT;
            int kernelHeight = 2 + random.nextInt(2);
            int kernelWidth = 2 + random.nextInt(3);
            int top = explicit ? random.nextInt(kernelHeight) : 0;
            int left = explicit ? random.nextInt(kernelWidth) : 0;
            int bottom = explicit ? random.nextInt(kernelHeight) : 0;
            int right = explicit ? random.nextInt(kernelWidth) : 0;
            Window window = new Window(kernelHeight, kernelWidth, 1 + random.nextInt(3), 1 + random.nextInt(3), top,
                    left, bottom, right, 1, 1, pad);
            boolean ceil = explicit && random.nextBoolean();
            Tensor x = floats(1, 2, 7 + random.nextInt(4), 7 + random.nextInt(4));
            test("pool " + i, new Op.MaxPool(window, ceil), 1, x);
            test("pool " + i, new Op.AveragePool(window, ceil, random.nextBoolean()), 1, x);
        }
        test("yolo", new Op.MaxPool(Window.square(5, 1, 2), false), 1, floats(1, 3, 6, 6));
        test("dilated", new Op.MaxPool(new Window(2, 3, 1, 2, 1, 1, 1, 1, 2, 2, AutoPad.EXPLICIT), false), 1,
                floats(1, 3, 9, 9));
        test("global", new Op.GlobalAveragePool(), 1, floats(2, 3, 4, 5));
    }

    private void resizes() {
        for (Coordinates coordinates : Coordinates.values()) {
            for (float[] scale : new float[][] {{1, 1, 2, 2}, {1, 1, 1.5f, 3}, {1, 1, 0.5f, 0.7f},
                    {1, 1, 1.2f, 0.6f}}) {
                Tensor scales = Tensor.ofFloats(Shape.of(4), scale);
                test("scales", new Op.Resize(Mode.LINEAR, coordinates, Nearest.FLOOR), 1, floats(1, 2, 5, 6), null,
                        scales);
                for (Nearest nearest : Nearest.values()) {
                    test("scales", new Op.Resize(Mode.NEAREST, coordinates, nearest), 1, floats(1, 2, 5, 6), null,
                            scales);
                }
            }
            for (Mode mode : Mode.values()) {
                test("sizes", new Op.Resize(mode, coordinates, Nearest.ROUND_PREFER_FLOOR), 1, floats(1, 2, 5, 6), null,
                        null, Tensor.vector(1, 2, 7, 3));
                test("to one", new Op.Resize(mode, coordinates, Nearest.FLOOR), 1, floats(1, 2, 5, 6), null, null,
                        Tensor.vector(1, 2, 1, 9));
            }
        }
    }

    private void layouts() {
        test("concat", new Op.Concat(-2), 3, floats(2, 1, 3), floats(2, 4, 3), floats(2, 2, 3));
        test("concat", new Op.Concat(0), 2, Tensor.vector(1, 2), Tensor.vector(3));
        test("split", new Op.Split(1), 3, 1, floats(2, 7, 3), Tensor.vector(1, 4, 2));
        test("split", new Op.Split(-1), 2, 1, floats(2, 8));
        test("depth", new Op.DepthToSpace(2, true), 1, floats(2, 8, 3, 2));
        test("depth", new Op.DepthToSpace(2, false), 1, floats(2, 8, 3, 2));
        test("transpose", new Op.Transpose(List.of(2, 0, 3, 1)), 1, floats(2, 3, 4, 5));
        test("flatten", new Op.Flatten(2), 1, floats(2, 3, 4, 5));
        test("flatten", new Op.Flatten(-3), 1, floats(2, 3, 4, 5));
        test("squeeze", new Op.Squeeze(), 1, floats(1, 3, 1, 5), Tensor.vector(0, -2));
        test("squeeze", new Op.Squeeze(), 1, floats(1, 3, 1, 5));
        test("unsqueeze", new Op.Unsqueeze(), 1, floats(3, 5), Tensor.vector(0, -1));
        test("reshape", new Op.Reshape(false), 1, floats(2, 3, 4), Tensor.vector(0, -1));
        test("reshape", new Op.Reshape(true), 1, floats(2, 0, 4), Tensor.vector(0, 7));
        test("slice", new Op.Slice(), 1, floats(6, 7), Tensor.vector(1, 5), Tensor.vector(5, -100),
                Tensor.vector(0, 1), Tensor.vector(2, -2));
        test("slice back", new Op.Slice(), 1, floats(6, 7), Tensor.vector(-1, 100),
                Tensor.vector(Long.MIN_VALUE, 2), Tensor.vector(-1, -2), Tensor.vector(-1, -3));
        test("slice none", new Op.Slice(), 1, floats(6, 7), Tensor.vector(5), Tensor.vector(2));
        test("pad", new Op.Pad(), 1, floats(2, 3, 4), Tensor.vector(0, 1, 2, 1, 0, 3), Tensor.scalar(7));
        test("pad cuts", new Op.Pad(), 1, floats(2, 5), Tensor.vector(0, -1, 1, -2));
        test("gather", new Op.Gather(1), 1, floats(2, 5, 3), Tensor.ofLongs(Shape.of(2, 2), 0, -1, 3, 1));
        test("gather one", new Op.Gather(0), 1, floats(4, 3), Tensor.ofLongs(Shape.of(), 2));
        test("shape", new Op.ShapeOf(0, Integer.MAX_VALUE), 1, floats(4, 3, 2));
        test("shape", new Op.ShapeOf(1, -1), 1, floats(4, 3, 2, 6));
        test("range", new Op.Range(), 0, scalar(10), scalar(-3), scalar(-4));
        test("range", new Op.Range(), 0, Tensor.scalar(1), Tensor.scalar(2.3f), Tensor.scalar(0.25f));
        test("expand", new Op.Expand(), 1, floats(3, 1), Tensor.vector(2, 1, 4));
        test("tile", new Op.Tile(), 1, floats(2, 3), Tensor.vector(2, 3));
        test("fill", new Op.ConstantOfShape(Tensor.ofFloats(Shape.of(1), 2.5f)), 0, Tensor.vector(2, 3));
        test("identity", new Op.Identity(), 1, floats(2, 3));
    }

    private static Tensor scalar(long value) {
        return Tensor.ofLongs(Shape.of(), value);
    }

    private void products() {
        test("matrices", new Op.MatMul(), 2, floats(3, 4), floats(4, 5));
        test("batches", new Op.MatMul(), 2, floats(2, 1, 3, 4), floats(5, 4, 2));
        test("row", new Op.MatMul(), 2, floats(4), floats(2, 4, 3));
        test("column", new Op.MatMul(), 2, floats(2, 3, 4), floats(4));
        test("dot", new Op.MatMul(), 2, floats(4), floats(4));
        test("gemm", new Op.Gemm(0.5f, 2, false, true), 3, floats(3, 4), floats(5, 4), floats(5));
        test("gemm", new Op.Gemm(1, 1, true, false), 3, floats(4, 3), floats(4, 5), floats(3, 1));
        test("gemm", new Op.Gemm(1, 1, false, false), 2, floats(3, 4), floats(4, 5));
        for (Op.Reduce.Kind kind : Op.Reduce.Kind.values()) {
            test("reduce", new Op.Reduce(kind, true), 1, floats(2, 3, 4), Tensor.vector(-1, 0));
            test("reduce", new Op.Reduce(kind, false), 1, floats(2, 3, 4), Tensor.vector(1));
            test("reduce all", new Op.Reduce(kind, false), 1, floats(2, 3, 4));
        }
        test("norm", new Op.BatchNormalization(1e-3f), 1, floats(2, 3, 4, 5), floats(3), floats(3), floats(3),
                Sameness.randomTensor(random, DataType.FLOAT32, Shape.of(3), 0.1, 3));
    }

    private void quantization() {
        Tensor x = Tensor.ofFloats(Shape.of(2, 5), -300, -1.25f, -0.75f, 0.25f, 0.5f, 0.75f, 1, 1.25f, 60, 300);
        Tensor scale = Tensor.scalar(0.5f);
        Tensor scales = Tensor.ofFloats(Shape.of(2), 0.5f, 2);
        for (DataType type : List.of(DataType.INT8, DataType.UINT8)) {
            test("per tensor", new Op.QuantizeLinear(1, type), 1, x, scale, Tensor.of(type, Shape.of(), 3));
            test("per axis", new Op.QuantizeLinear(0, type), 1, x, scales, Tensor.of(type, Shape.of(2), 3, 1));
            Tensor codes = Tensor.of(type, Shape.of(2, 3), -128, -1, 0, 1, 77, 127);
            test("per tensor", new Op.DequantizeLinear(1), 1, codes, scale, Tensor.of(type, Shape.of(), 3));
            test("per axis", new Op.DequantizeLinear(-2), 1, codes, scales, Tensor.of(type, Shape.of(2), 3, 1));
        }
        test("by its range", new Op.DynamicQuantizeLinear(), 3, 1, x);
        test("by its range", new Op.DynamicQuantizeLinear(), 3, 1, floats(2, 3, 40, 7));
        test("all negative", new Op.DynamicQuantizeLinear(), 3, 1,
                Sameness.randomTensor(random, DataType.FLOAT32, Shape.of(31), -9, -2));
        test("constant", new Op.DynamicQuantizeLinear(), 3, 1, Tensor.ofFloats(Shape.of(3), 7, 7, 7));
        test("zeros", new Op.DynamicQuantizeLinear(), 3, 1, Tensor.ofFloats(Shape.of(2), 0, 0));
        test("no zero point", new Op.DequantizeLinear(0), 1, Tensor.of(DataType.INT32, Shape.of(2), 7, -70000), scales);
    }
}
