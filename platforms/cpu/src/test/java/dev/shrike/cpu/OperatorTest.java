package dev.shrike.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Operators of files as ONNX Runtime computes them: attributes in every variant, shapes that are odd, in the evaluator
 * and in the engine.
 */
class OperatorTest {
    private static final double TOLERANCE = 1e-4;

    private final SplittableRandom random = new SplittableRandom(Long.getLong("shrike.seed", 24));
    private final List<DynamicTest> tests = new ArrayList<>();

    /** One file with the input {@code x}, and the output {@code y} unless others are named. */
    private void test(String name, long opset, long[] dims, Consumer<OnnxFile> contents) {
        test(name, opset, dims, -3, 3, contents);
    }

    private void test(String name, long opset, long[] dims, double low, double high, Consumer<OnnxFile> contents) {
        SplittableRandom own = random.split();
        tests.add(DynamicTest
                .dynamicTest(tests.size() + ": " + name + " of " + Arrays.toString(dims) + ", opset " + opset, () -> {
                    OnnxFile file = new OnnxFile(opset).input("x", dims);
                    contents.accept(file);
                    if (file.outputs().isEmpty()) {
                        file.output("y");
                    }
                    if (Boolean.getBoolean("shrike.trace")) {
                        System.err.println(name);
                    }
                    OnnxAgreement.check(file, OnnxAgreement.random(file, own, low, high), TOLERANCE, name);
                }));
    }

    private static List<String> x(String... more) {
        List<String> names = new ArrayList<>(List.of("x"));
        names.addAll(List.of(more));
        return names;
    }

    private static final List<String> Y = List.of("y");

    private static long[] of(long... values) {
        return values;
    }

    private float[] floats(SplittableRandom from, long... dims) {
        float[] values = new float[(int) Arrays.stream(dims).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) from.nextDouble(-1, 1);
        }
        return values;
    }

    private long upTo(long most) {
        return 1 + random.nextLong(most);
    }

    private long[] image() {
        return of(upTo(2), upTo(9), 1 + upTo(9), 1 + upTo(9));
    }

    @TestFactory
    List<DynamicTest> functions() {
        for (String op : List.of("Softplus", "Softsign", "Sin", "Cos", "Atan", "Elu", "Selu", "ThresholdedRelu",
                "HardSwish", "HardSigmoid", "Erf")) {
            test(op, 17, image(), -30, 30, file -> file.node(op, x(), Y));
            test(op, 22, image(), -2, 2, file -> file.node(op, x(), Y));
        }
        for (float alpha : new float[] {0.3f, 1, 2.5f}) {
            for (String op : List.of("Elu", "Celu", "ThresholdedRelu", "LeakyRelu")) {
                test(op, 17, image(), file -> file.node(op, x(), Y, "alpha", alpha));
            }
            test("Selu", 17, image(), file -> file.node("Selu", x(), Y, "alpha", alpha, "gamma", 0.7f));
            test("HardSigmoid", 17, image(), file -> file.node("HardSigmoid", x(), Y, "alpha", alpha, "beta", 0.4f));
            test("QuickGelu", 17, image(),
                    file -> file.node("com.microsoft", "QuickGelu", x(), Y, "alpha", alpha));
        }
        for (double reach : new double[] {2, 25, 90}) {
            test("Mish", 18, image(), -reach, reach, file -> file.node("Mish", x(), Y));
            test("Mish in parts", 17, image(), -reach, reach, file -> file.node("Softplus", x(), List.of("s"))
                    .node("Tanh", List.of("s"), List.of("t")).node("Mul", x("t"), Y));
            for (String approximate : List.of("none", "tanh")) {
                test("Gelu", 20, image(), -reach, reach,
                        file -> file.node("Gelu", x(), Y, "approximate", approximate));
            }
            for (String op : List.of("Gelu", "FastGelu")) {
                test(op, 17, image(), -reach, reach, file -> file.node("com.microsoft", op, x(), Y));
            }
        }
        test("Gelu by its default", 20, image(), file -> file.node("Gelu", x(), Y));
        for (int form = 0; form < 3; form++) {
            int variant = form;
            test("Gelu in parts " + form, 17, image(), file -> gelu(file, variant));
        }
        for (String op : List.of("BiasGelu", "FastGelu")) {
            test(op, 17, of(2, 3, 5), file -> file.floats("b", of(5), floats(random, 5))
                    .node("com.microsoft", op, x("b"), Y));
        }
        for (long[] slope : new long[][] {{}, {1}, {5}, {4, 1, 1}, {3, 1}, {1, 4, 3, 5}, {2, 1, 1, 5}}) {
            test("PRelu " + Arrays.toString(slope), 17, of(2, 4, 3, 5),
                    file -> file.floats("s", slope, floats(random, slope)).node("PRelu", x("s"), Y));
        }
        test("computed slope", 17, of(2, 4, 3, 5), file -> file.node("GlobalAveragePool", x(), List.of("s"))
                .node("PRelu", x("s"), Y));
        return tests;
    }

    /** Ways in which PyTorch writes it. */
    private static void gelu(OnnxFile file, int form) {
        file.floats("half", of(), 0.5f).floats("one", of(), 1).floats("root", of(), (float) Math.sqrt(2))
                .node("Div", x("root"), List.of("d")).node("Erf", List.of("d"), List.of("e"))
                .node("Add", List.of("e", "one"), List.of("a"));
        switch (form) {
            case 0 -> file.node("Mul", x("a"), List.of("m")).node("Mul", List.of("m", "half"), Y);
            case 1 -> file.node("Mul", x("half"), List.of("m")).node("Mul", List.of("m", "a"), Y);
            default -> file.node("Mul", List.of("a", "half"), List.of("m")).node("Mul", x("m"), Y);
        }
    }

    @TestFactory
    List<DynamicTest> reductionsAndNorms() {
        for (String op : List.of("ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp")) {
            for (long keep = 0; keep < 2; keep++) {
                long kept = keep;
                test(op, 13, of(2, 3, 4, 5), file -> file.node(op, x(), Y, "axes", of(1, -1), "keepdims", kept));
                test(op, 18, of(2, 3, 4), file -> file.vector("a", -2).node(op, x("a"), Y, "keepdims", kept));
                test(op, 13, of(2, 3, 4), -60, 90, file -> file.node(op, x(), Y, "keepdims", kept));
            }
        }
        test("ReduceLogSum", 13, of(2, 3, 4), 0.1, 3, file -> file.node("ReduceLogSum", x(), Y, "axes", of(1)));
        for (long p = 1; p < 4; p++) {
            long power = p;
            test("GlobalLpPool", 17, image(), file -> file.node("GlobalLpPool", x(), Y, "p", power));
            test("LpPool", 17, of(1, 3, 7, 8), file -> file.node("LpPool", x(), Y, "p", power,
                    "kernel_shape", of(3, 2), "strides", of(2, 1), "pads", of(1, 0, 1, 1)));
        }
        test("GlobalMaxPool", 17, image(), file -> file.node("GlobalMaxPool", x(), Y));
        test("GlobalMaxPool", 17, of(2, 5, 7), file -> file.node("GlobalMaxPool", x(), Y));
        test("Mean", 17, of(2, 4, 3), file -> file.floats("b", of(3), floats(random, 3))
                .node("Mean", x("b", "x"), Y));
        for (String op : List.of("Sum", "Max", "Min", "Mean")) {
            test(op, 17, of(2, 4, 3),
                    file -> file.node("Neg", x(), List.of("n")).floats("b", of(4, 1), floats(random, 4))
                            .node(op, x("n", "b"), Y));
            test(op, 17, of(2, 4, 3), file -> file.node(op, x(), Y));
        }
        for (long axis = -4; axis < 4; axis++) {
            long at = axis;
            for (long opset : new long[] {11, 13}) {
                for (String op : List.of("LogSoftmax", "Hardmax", "Softmax")) {
                    test(op + " " + axis, opset, of(2, 3, 4, 5), -40, 40, file -> file.node(op, x(), Y, "axis", at));
                }
            }
            test("LpNormalization", 17, of(2, 3, 4, 5), file -> file.node("LpNormalization", x(), Y, "axis", at,
                    "p", 1 + (at & 1)));
            long[] rest = Arrays.copyOfRange(of(2, 3, 4, 5), (int) (at < 0 ? at + 4 : at), 4);
            test("LayerNormalization " + axis, 17, of(2, 3, 4, 5), file -> file
                    .floats("s", rest, floats(random, rest)).floats("b", rest, floats(random, rest))
                    .node("LayerNormalization", x("s", "b"), Y, "axis", at, "epsilon", 1e-3f));
            test("RMSNormalization " + axis, 23, of(2, 3, 4, 5), file -> file
                    .floats("s", rest, floats(random, rest))
                    .node("RMSNormalization", x("s"), Y, "axis", at, "epsilon", 1e-3f));
        }
        test("LayerNormalization", 17, of(3, 9), file -> file.floats("s", of(9), floats(random, 9))
                .node("LayerNormalization", x("s"), Y));
        for (long[] dims : new long[][] {{2, 6, 3, 5}, {1, 6, 7}, {1, 6, 1, 2}}) {
            test("InstanceNormalization", 17, dims, file -> file.floats("s", of(6), floats(random, 6))
                    .floats("b", of(6), floats(random, 6)).node("InstanceNormalization", x("s", "b"), Y));
            for (long opset : new long[] {18, 21}) {
                long scales = opset == 18 ? 3 : 6;
                test("GroupNormalization", opset, dims, file -> file.floats("s", of(scales), floats(random, scales))
                        .floats("b", of(scales), floats(random, scales))
                        .node("GroupNormalization", x("s", "b"), Y, "num_groups", 3L, "epsilon", 1e-2f));
            }
        }
        test("MeanVarianceNormalization", 17, of(2, 3, 4, 5), file -> file.node("MeanVarianceNormalization", x(), Y));
        for (long size : of(1, 3, 5)) {
            test("LRN", 17, of(2, 7, 3, 4), file -> file.node("LRN", x(), Y, "size", size, "alpha", 0.3f,
                    "beta", 0.6f, "bias", 1.5f));
        }
        return tests;
    }

    @TestFactory
    List<DynamicTest> windows() {
        for (int i = 0; i < 60; i++) {
            transposedConvolution(i);
        }
        for (String pad : List.of("SAME_UPPER", "SAME_LOWER", "VALID")) {
            test("ConvTranspose " + pad, 17, of(1, 2, 5, 6), file -> file
                    .floats("w", of(2, 3, 3, 4), floats(random, 2, 3, 3, 4))
                    .node("ConvTranspose", x("w"), Y, "auto_pad", pad, "strides", of(2, 3)));
        }
        for (long[] size : new long[][] {{10, 13}, {9, 12}, {11, 14}}) {
            test("ConvTranspose of a size", 17, of(1, 2, 5, 6), file -> file
                    .floats("w", of(2, 3, 3, 4), floats(random, 2, 3, 3, 4))
                    .node("ConvTranspose", x("w"), Y, "output_shape", size, "strides", of(2, 2)));
        }
        test("ConvTranspose with a computed bias", 17, of(1, 2, 5, 6), file -> file
                .floats("w", of(2, 3, 2, 2), floats(random, 2, 3, 2, 2)).floats("b", of(3), 1, 2, 3)
                .node("GlobalMaxPool", x(), List.of("m")).vector("a", 0, 1, 2, 3)
                .node("ReduceSum", List.of("m", "a"), List.of("r"), "keepdims", 0L)
                .node("Add", List.of("b", "r"), List.of("s"))
                .node("ConvTranspose", x("w", "s"), Y, "strides", of(2, 2)));
        for (int i = 0; i < 10; i++) {
            long channels = upTo(4);
            long kernel = upTo(4);
            long group = random.nextBoolean() ? channels : 1;
            long stride = upTo(2);
            test("Conv of lines", 17, of(upTo(2), channels, 6 + upTo(9)), file -> file
                    .floats("w", of(2 * group, channels / group, kernel),
                            floats(random, 2 * group, channels / group, kernel))
                    .node("Conv", x("w"), Y, "group", group, "strides", of(stride), "pads", of(1, 2)));
            test("pools of lines", 17, of(1, channels, 8 + upTo(5)), file -> file.output("y", "z")
                    .node("MaxPool", x(), Y, "kernel_shape", of(3), "strides", of(stride), "pads", of(1, 0))
                    .node("AveragePool", x(), List.of("z"), "kernel_shape", of(2), "pads", of(1, 1)));
        }
        for (String activation : List.of("Relu", "Sigmoid", "Tanh", "HardSigmoid", "LeakyRelu", "Clip")) {
            float[] parameters = switch (activation) {
                case "LeakyRelu" -> new float[] {0.2f};
                case "HardSigmoid" -> new float[] {0.3f, 0.4f};
                case "Clip" -> new float[] {-0.5f, 0.7f};
                default -> new float[0];
            };
            for (boolean summed : new boolean[] {false, true}) {
                test("FusedConv " + activation + (summed ? " with a residual" : ""), 17, of(1, 3, 5, 6), file -> {
                    file.floats("w", of(3, 3, 3, 3), floats(random, 3, 3, 3, 3)).floats("b", of(3), floats(random, 3));
                    List<Object> attributes = new ArrayList<>(
                            List.of("pads", of(1, 1, 1, 1), "activation", activation));
                    if (parameters.length > 0) {
                        attributes.addAll(List.of("activation_params", parameters));
                    }
                    file.node("com.microsoft", "FusedConv", summed ? x("w", "b", "x") : x("w", "b"), Y,
                            attributes.toArray());
                });
            }
        }
        for (long d = 1; d < 3; d++) {
            long dilation = d;
            test("dilated AveragePool", 19, of(1, 2, 9, 9), file -> file.node("AveragePool", x(), Y,
                    "kernel_shape", of(3, 2), "dilations", of(dilation, 2), "pads", of(1, 1, 1, 1),
                    "count_include_pad", dilation - 1));
        }
        for (long block = 1; block < 4; block++) {
            long b = block;
            test("SpaceToDepth", 17, of(2, 3, 2 * b, 3 * b), file -> file.node("SpaceToDepth", x(), Y, "blocksize", b));
            for (String mode : List.of("DCR", "CRD")) {
                test("DepthToSpace", 17, of(2, 2 * b * b, 3, 2),
                        file -> file.node("DepthToSpace", x(), Y, "blocksize", b, "mode", mode));
            }
        }
        return tests;
    }

    private void transposedConvolution(int i) {
        long group = upTo(3);
        long inputs = group * upTo(3);
        long outputs = upTo(3);
        long[] kernel = of(upTo(5), upTo(4));
        long[] strides = of(upTo(3), upTo(3));
        long[] dilations = i % 3 == 0 ? of(upTo(2), upTo(3)) : of(1, 1);
        long[] pads = new long[4];
        long[] extra = new long[2];
        for (int d = 0; d < 2; d++) {
            long extent = (kernel[d] - 1) * dilations[d] + 1;
            pads[d] = random.nextLong(extent);
            pads[d + 2] = random.nextLong(extent);
            // More than the stride is allowed where the dilation is larger, but not computed by ONNX Runtime.
            extra[d] = random.nextLong(strides[d]);
        }
        boolean biased = random.nextBoolean();
        test("ConvTranspose " + i + " k " + Arrays.toString(kernel) + " s " + Arrays.toString(strides) + " d "
                + Arrays.toString(dilations) + " p " + Arrays.toString(pads) + " o " + Arrays.toString(extra) + " g "
                + group, 17, of(upTo(2), inputs, 5 + upTo(4), 5 + upTo(4)), file -> {
                    file.floats("w", of(inputs, outputs, kernel[0], kernel[1]),
                            floats(random, inputs, outputs, kernel[0], kernel[1]));
                    file.floats("b", of(outputs * group), floats(random, outputs * group));
                    file.node("ConvTranspose", biased ? x("w", "b") : x("w"), Y, "kernel_shape", kernel,
                            "strides", strides, "dilations", dilations, "pads", pads, "output_padding", extra,
                            "group", group);
                });
    }

    @TestFactory
    List<DynamicTest> paddingAndResizing() {
        for (String mode : List.of("constant", "reflect", "edge", "wrap")) {
            for (int i = 0; i < 6; i++) {
                long[] dims = of(1 + upTo(2), 2 + upTo(4), 3 + upTo(5), 3 + upTo(5));
                long[] pads = new long[8];
                for (int p = 0; p < 8; p++) {
                    pads[p] = random.nextLong(p % 4 < 2 ? 2 : 3);
                }
                test("Pad " + mode + " " + Arrays.toString(pads), mode.equals("wrap") ? 19 : 17, dims,
                        file -> file.vector("p", pads).node("Pad", x("p"), Y, "mode", mode));
            }
            test("Pad of axes", 19, of(2, 3, 5), file -> file.vector("p", 2, 1, 0, 2).vector("a", -1, 1)
                    .node("Pad", x("p", "", "a"), Y, "mode", mode));
        }
        test("Pad that cuts", 17, of(1, 2, 5, 6), file -> file.vector("p", 0, 0, -1, 2, 0, 0, 1, -3)
                .node("Pad", x("p"), Y));
        for (String coordinates : List.of("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel")) {
            for (float[] scale : new float[][] {{1, 1, 2, 2}, {1, 1, 1.5f, 3}, {1, 1, 0.5f, 0.7f}, {1, 1, 1, 0.6f}}) {
                for (long excludes = 0; excludes < 2; excludes++) {
                    long exclude = excludes;
                    test("cubic " + coordinates + Arrays.toString(scale), 17, of(1, 2, 7, 6), file -> file
                            .floats("s", of(4), scale).node("Resize", x("", "s"), Y, "mode", "cubic",
                                    "coordinate_transformation_mode", coordinates, "exclude_outside", exclude,
                                    "cubic_coeff_a", exclude == 1 ? -0.5f : -0.75f));
                }
            }
            test("cubic " + coordinates, 17, of(2, 3, 5, 4), file -> file.vector("s", 2, 3, 8, 3)
                    .node("Resize", x("", "", "s"), Y, "mode", "cubic", "coordinate_transformation_mode", coordinates));
        }
        for (String mode : List.of("nearest", "linear", "cubic")) {
            test(mode + " of axes", 18, of(1, 3, 4, 5), file -> file.floats("s", of(2), 2, 1.6f)
                    .node("Resize", x("", "s"), Y, "mode", mode, "axes", of(3, 2)));
            test(mode + " of axes by sizes", 18, of(1, 3, 4, 5), file -> file.vector("s", 7, 9)
                    .node("Resize", x("", "", "s"), Y, "mode", mode, "axes", of(2, 3)));
        }
        return tests;
    }

    @TestFactory
    List<DynamicTest> sumsOfProducts() {
        for (String equation : List.of("bcn,cd->bdn", "bnc,bmc->bnm", "bhnd,bhmd->bhnm", "bhnm,bhmd->bnhd", "ab,bc",
                "ab,cb->ac", "abc->ac", "abc->", "abc", "ab,ab->a", "ab,ab->", "ab,ab->ab", "a,b->ab", "abc,bd->acd",
                "bchw,bnc->bnhw", "...ab,...bc->...ac", "...a,ab->...b", "a...->...a", "bcxy,bcuv->bxyuv",
                "bijc,bcj->bic", "abcd,abce,adf->bef", "ab,bc,cd->ad", "abc,abd->cd", "ba,b->a", "b...,b...->...")) {
            String[] terms = equation.split("->")[0].split(",");
            for (boolean constant : new boolean[] {false, true}) {
                long[] sizes = new long[26];
                Arrays.setAll(sizes, i -> 1 + (i * 7 + 3) % 5);
                test("Einsum " + equation + (constant ? " with constants" : ""), 17, dims(terms[0], sizes), file -> {
                    List<String> names = x();
                    for (int i = 1; i < terms.length; i++) {
                        long[] dims = dims(terms[i], sizes);
                        names.add("x" + i);
                        if (constant) {
                            file.floats("x" + i, dims, floats(random, dims));
                        } else {
                            file.input("x" + i, dims);
                        }
                    }
                    file.node("Einsum", names, Y, "equation", equation);
                });
            }
        }
        test("Einsum with the constant first", 17, of(2, 3, 4), file -> file.floats("w", of(3, 5), floats(random, 15))
                .node("Einsum", List.of("w", "x"), Y, "equation", "cd, bcn -> bdn"));
        for (long turned = 0; turned < 2; turned++) {
            long t = turned;
            test("FusedMatMul", 17, of(2, 3, 3), file -> file.node("com.microsoft", "FusedMatMul", x("x"), Y,
                    "transA", t, "transB", 1 - t, "alpha", 0.5f));
        }
        test("FusedGemm", 17, of(3, 4), file -> file.floats("w", of(5, 4), floats(random, 20))
                .node("com.microsoft", "FusedGemm", x("w"), Y, "transB", 1L, "activation", "LeakyRelu",
                        "activation_alpha", 0.3f));
        return tests;
    }

    private static long[] dims(String term, long[] sizes) {
        return term.replace("...", "yz").chars().mapToLong(c -> sizes[c - 'a']).toArray();
    }

    @TestFactory
    List<DynamicTest> selections() {
        for (long axis = -3; axis < 3; axis++) {
            long at = axis;
            for (long flag = 0; flag < 2; flag++) {
                long f = flag;
                test("TopK " + axis, 17, of(4, 5, 3), file -> file.vector("k", 3).output("y", "z")
                        .node("TopK", x("k"), List.of("y", "z"), "axis", at, "largest", f));
                for (String op : List.of("ArgMax", "ArgMin")) {
                    test(op + " " + axis, 17, of(4, 5, 3), file -> file.node("Round", x(), List.of("r"))
                            .node(op, List.of("r"), Y, "axis", at, "keepdims", f, "select_last_index", 1 - f));
                }
                test("CumSum " + axis, 17, of(4, 5, 3), file -> file.longs("a", of(), at)
                        .node("CumSum", x("a"), Y, "exclusive", f, "reverse", f ^ at & 1));
            }
            test("GatherElements " + axis, 17, of(4, 5, 3), file -> file
                    .longs("i", of(2, 3, 3), 0, 1, -1, 2, 0, 1, 2, -2, 0, 1, 1, 2, -3, 0, 1, 0, 2, 1)
                    .node("GatherElements", x("i"), Y, "axis", at));
            for (String reduction : List.of("none", "add", "mul", "min", "max")) {
                test("ScatterElements " + reduction + " " + axis, 18, of(4, 5, 3), file -> file
                        .longs("i", of(2, 1, 2), 0, 1, 2, -1).floats("u", of(2, 1, 2), floats(random, 4))
                        .node("ScatterElements", x("i", "u"), Y, "axis", at, "reduction", reduction));
            }
            test("OneHot " + axis, 17, of(2, 3), 0, 4, file -> file.node("Cast", x(), List.of("f"), "to", 7L)
                    .longs("d", of(), 4).floats("v", of(2), 0.5f, 2)
                    .node("OneHot", List.of("f", "d", "v"), Y, "axis", at));
        }
        for (String reduction : List.of("none", "add", "mul", "min", "max")) {
            test("ScatterND " + reduction, 18, of(4, 5, 3),
                    file -> file.longs("i", of(2, 2, 2), 0, 1, 3, -1, 2, 2, 0, 1)
                            .floats("u", of(2, 2, 3), floats(random, 12))
                            .node("ScatterND", x("i", "u"), Y, "reduction", reduction));
        }
        test("ScatterND of elements", 17, of(2, 3, 4, 5), file -> file.longs("i", of(2, 4), 0, 1, 2, 3, 1, 2, 3, 4)
                .floats("u", of(2), 7, 8).node("ScatterND", x("i", "u"), Y));
        for (long batch = 0; batch < 2; batch++) {
            long b = batch;
            test("GatherND", 17, of(2, 5, 3), file -> file.longs("i", of(2, 3, 1), 0, 1, 1, 0, 1, 1)
                    .node("GatherND", x("i"), Y, "batch_dims", b));
        }
        test("TopK and Gather of what it finds", 17, of(1, 20, 6),
                file -> file.vector("k", 5).node("ReduceMax", x(), List.of("m"), "axes", of(2), "keepdims", 0L)
                        .node("TopK", List.of("m", "k"), List.of("v", "i")).vector("z", 0)
                        .node("Squeeze", List.of("i", "z"), List.of("j")).node("Gather", x("j"), Y, "axis", 1L));
        for (long k = -2; k < 3; k++) {
            long diagonal = k;
            test("Trilu " + k, 17, of(2, 4, 5), file -> file.longs("k", of(), diagonal)
                    .node("Trilu", x("k"), Y, "upper", diagonal & 1));
        }
        test("Where", 17, of(2, 4, 5), file -> file.floats("z", of(), 0).floats("o", of(4, 1), floats(random, 4))
                .node("Greater", x("z"), List.of("c")).node("Where", List.of("c", "x", "o"), Y));
        test("truths", 17, of(2, 4, 5), file -> file.floats("z", of(), 0).floats("o", of(5), floats(random, 5))
                .node("Greater", x("z"), List.of("a")).node("Less", x("o"), List.of("b"))
                .node("Xor", List.of("a", "b"), List.of("c")).node("Not", List.of("c"), List.of("d"))
                .node("Cast", List.of("d"), Y, "to", 1L));
        test("Cast to integers and back", 17, of(2, 4, 5), file -> file.node("Cast", x(), List.of("c"), "to", 7L)
                .node("Cast", List.of("c"), Y, "to", 1L));
        test("CastLike", 17, of(2, 4, 5), file -> file.vector("i", 0).node("CastLike", x("i"), List.of("c"))
                .node("CastLike", List.of("c", "x"), Y));
        test("Tile", 17, of(2, 3, 2), file -> file.vector("r", 2, 1, 3).node("Tile", x("r"), Y));
        test("fmod", 17, of(2, 3, 5), file -> file.floats("d", of(5), 0.7f, -1.3f, 2, -0.4f, 1)
                .node("Mod", x("d"), Y, "fmod", 1L));
        test("Size", 17, of(2, 3, 5), file -> file.node("Size", x(), List.of("s"))
                .node("Cast", List.of("s"), List.of("f"), "to", 1L).node("Div", x("f"), Y));
        return tests;
    }

    @TestFactory
    List<DynamicTest> branches() {
        for (boolean condition : new boolean[] {true, false}) {
            test("If " + condition, 17, of(2, 3), file -> file.truth("c", condition)
                    .node("If", List.of("c"), Y,
                            "then_branch", new OnnxFile(17).node("Relu", x(), List.of("a")).output("a"),
                            "else_branch", new OnnxFile(17).floats("k", of(), 2).node("Mul", x("k"), List.of("a"))
                                    .output("a")));
            test("If of a size " + condition, 17, of(1, condition ? 1 : 4, 3), file -> file.vector("one", 1)
                    .vector("at", 1).node("Shape", x(), List.of("s")).node("Gather", List.of("s", "at"), List.of("n"))
                    .node("Equal", List.of("n", "one"), List.of("c"))
                    .node("If", List.of("c"), List.of("z"),
                            "then_branch", new OnnxFile(17).node("Relu", x(), List.of("q")).output("q"),
                            "else_branch", new OnnxFile(17).node("Identity", x(), List.of("q")).output("q"))
                    .node("Neg", List.of("z"), Y));
            test("If in If " + condition, 17, of(2, 3), file -> file.truth("c", condition)
                    .node("Neg", x(), List.of("n"))
                    .node("If", List.of("c"), Y,
                            "then_branch", new OnnxFile(17).truth("d", false).node("Exp", List.of("n"), List.of("e"))
                                    .node("If", List.of("d"), List.of("a"),
                                            "then_branch", new OnnxFile(17).node("Abs", x(), List.of("b")).output("b"),
                                            "else_branch", new OnnxFile(17).node("Add", List.of("e", "n"), List.of("b"))
                                                    .output("b"))
                                    .output("a"),
                            "else_branch", new OnnxFile(17).node("Tanh", List.of("n"), List.of("a")).output("a")));
        }
        return tests;
    }
}
