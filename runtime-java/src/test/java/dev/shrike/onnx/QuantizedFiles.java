package dev.shrike.onnx;

import static dev.shrike.onnx.QuantizedFile.INT32;
import static dev.shrike.onnx.QuantizedFile.INT8;
import static dev.shrike.onnx.QuantizedFile.UINT8;
import static dev.shrike.onnx.TestModels.floating;
import static dev.shrike.onnx.TestModels.integer;
import static dev.shrike.onnx.TestModels.integers;

import dev.shrike.onnx.QuantizedFile.Builder;
import dev.shrike.onnx.proto.Onnx.AttributeProto;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Small quantised networks in the forms that other tools write, with random codes, scales and zero points. */
public final class QuantizedFiles {
    private static final int CHANNELS = 6;
    private static final int SIDE = 7;
    private static final int[] OPSETS = {13, 17, 21, 19};

    private final Random random = new Random(41);
    private final List<QuantizedFile> files = new ArrayList<>();

    private QuantizedFiles() {}

    /** All of them. */
    public static List<QuantizedFile> all() {
        QuantizedFiles made = new QuantizedFiles();
        made.linearConvolutions();
        made.clipped();
        made.spelledOutZeroPoints();
        made.deadChannels();
        made.integerConvolutions();
        made.products();
        made.elementWise();
        made.blocks();
        made.masks();
        return made.files;
    }

    /** A tensor of codes. */
    private record Codes(String codes, String scale, String zero, float step) {}

    private int opset() {
        return OPSETS[files.size() % OPSETS.length];
    }

    private Builder image() {
        return new Builder(random, 1, CHANNELS, SIDE, SIDE);
    }

    private Codes input(Builder b, int type) {
        float scale = 0.006f + 0.006f * random.nextFloat();
        String name = b.scalar(scale);
        String zero = b.zero(type, type == INT8 ? random.nextInt(-30, 31) : random.nextInt(90, 160));
        return new Codes(b.node("QuantizeLinear", List.of("x", name, zero)), name, zero, scale);
    }

    private Codes output(Builder b, int type) {
        float scale = 0.02f + 0.02f * random.nextFloat();
        return new Codes("", b.scalar(scale), b.zero(type, type == INT8 ? random.nextInt(-20, 21)
                : random.nextInt(110, 150)), scale);
    }

    private String real(Builder b, String codes, Codes how) {
        return b.node("DequantizeLinear", List.of(codes, how.scale(), how.zero()));
    }

    private static AttributeProto.Builder[] window(int group) {
        return new AttributeProto.Builder[] {integers("kernel_shape", 3L, 3L), integers("pads", 1L, 1L, 1L, 1L),
                integer("group", group)};
    }

    private void linearConvolutions() {
        for (int i = 0; i < 32; i++) {
            boolean signed = (i & 1) != 0;
            boolean signedWeights = signed || (i & 2) != 0;
            boolean perChannel = (i & 4) != 0;
            boolean bias = (i & 8) != 0;
            int group = (i & 16) == 0 ? 1 : i % 2 == 0 ? 2 : CHANNELS;
            Builder b = image();
            Codes x = input(b, signed ? INT8 : UINT8);
            int type = signedWeights ? INT8 : UINT8;
            int count = perChannel ? CHANNELS : 1;
            long[] dims = perChannel ? new long[] {CHANNELS} : new long[0];
            float[] scales = b.randoms(count, 0.001f, 0.004f);
            int[] zeros = new int[count];
            Arrays.fill(zeros, signedWeights ? 0 : 120);
            List<String> inputs = new ArrayList<>(List.of(x.codes(), x.scale(), x.zero(),
                    b.codes(type, signedWeights ? -127 : 0, signedWeights ? 127 : 255, CHANNELS, CHANNELS / group, 3,
                            3),
                    b.floats(dims, scales), b.integers(type, dims, zeros)));
            Codes y = output(b, signed ? INT8 : UINT8);
            inputs.addAll(List.of(y.scale(), y.zero()));
            if (bias) {
                inputs.add(b.codes(INT32, -9000, 9000, CHANNELS));
            }
            String codes = b.node("QLinearConv", inputs, window(group));
            files.add(b.file("QLinearConv " + (signed ? "int8" : "uint8") + (signedWeights ? " int8" : " uint8")
                    + (perChannel ? " per channel" : " per tensor") + (bias ? " bias" : "") + " group " + group,
                    i % 5 == 0 ? 10 : opset(), real(b, codes, y), y.step()));
        }
    }

    /** QuantizeLinear, Clip, DequantizeLinear of activations and weights. */
    private void clipped() {
        int[][] ranges = {{UINT8, 0, 127}, {INT8, -64, 63}, {INT8, -127, 127}, {INT8, -7, 7}, {INT8, -8, 7},
                {UINT8, 0, 15}, {UINT8, 0, 200}, {INT8, -100, 27}, {INT8, 0, 15}, {UINT8, 10, 250}, {UINT8, 1, 255}};
        for (int i = 0; i < 2 * ranges.length; i++) {
            int[] range = ranges[i % ranges.length];
            boolean asymmetric = i >= ranges.length;
            Builder b = image();
            int middle = asymmetric ? (range[1] + range[2] + 1) / 2 : range[0] == INT8 ? 0 : range[1];
            float scale = 2f / (range[2] - range[1]);
            Codes x = new Codes("", b.scalar(scale), b.zero(range[0], middle), scale);
            String clipped = b.node("Clip", List.of(b.node("QuantizeLinear", List.of("x", x.scale(), x.zero())),
                    b.zero(range[0], range[1]), b.zero(range[0], range[2])));
            int[] narrow = ranges[1 + i % 4];
            float[] scales = b.randoms(CHANNELS, 0.1f / narrow[2], 0.2f / narrow[2]);
            String scaleName = b.floats(new long[] {CHANNELS}, scales);
            String zeros = b.integers(INT8, new long[] {CHANNELS}, new int[CHANNELS]);
            String weights = b.floats(new long[] {CHANNELS, CHANNELS, 3, 3},
                    b.randoms(CHANNELS * CHANNELS * 9, -0.2f, 0.2f));
            String codes = b.node("Clip", List.of(
                    b.node("QuantizeLinear", List.of(weights, scaleName, zeros), integer("axis", 0)),
                    b.zero(INT8, narrow[1]), b.zero(INT8, narrow[2])));
            String w = b.node("DequantizeLinear", List.of(codes, scaleName, zeros), integer("axis", 0));
            String y = b.node("Conv", List.of(real(b, clipped, x), w), window(1));
            files.add(b.file("QCDQ " + range[1] + " to " + range[2] + " zero " + middle + ", weights " + narrow[1]
                    + " to " + narrow[2], opset(), y, 0));
        }
    }

    private void spelledOutZeroPoints() {
        for (int i = 0; i < 4; i++) {
            Builder b = image();
            float scale = 0.008f;
            String scaleName = b.scalar(scale);
            String zero = switch (i) {
                case 0 -> b.node("Identity", List.of(b.zero(UINT8, 131)));
                case 1 -> b.node("Cast", List.of(b.zero(INT32, 131)), integer("to", UINT8));
                case 2 -> b.node("Cast", List.of(b.scalar(-4)), integer("to", INT8));
                default -> b.node("Identity", List.of(b.node("Identity", List.of(b.zero(INT8, 5)))));
            };
            String domain = i == 3 ? "com.microsoft" : "";
            String codes = b.nodes(domain, "QuantizeLinear", List.of("x", scaleName, zero), 1).getFirst();
            String real = b.nodes(domain, "DequantizeLinear", List.of(codes, scaleName, zero), 1).getFirst();
            files.add(b.file("zero point computed " + i, opset(), convolution(b, real, i % 2 == 0), 0));
        }
        for (boolean signed : new boolean[] {false, true}) {
            Builder b = image();
            int type = signed ? INT8 : UINT8;
            String scale = b.scalar(0.01f);
            String zero = b.zero(type, signed ? 0 : 128);
            String real = b.microsoft("DequantizeLinear",
                    List.of(b.microsoft("QuantizeLinear", List.of("x", scale, zero)), scale, zero));
            files.add(b.file("com.microsoft " + (signed ? "int8" : "uint8"), opset(), convolution(b, real, true), 0));
        }
    }

    /** A convolution of dequantised weights with a float bias. */
    private String convolution(Builder b, String x, boolean perChannel) {
        int count = perChannel ? CHANNELS : 1;
        long[] dims = perChannel ? new long[] {CHANNELS} : new long[0];
        String weights = b.node("DequantizeLinear", List.of(
                b.codes(INT8, -127, 127, CHANNELS, CHANNELS, 3, 3),
                b.floats(dims, b.randoms(count, 0.001f, 0.004f)), b.integers(INT8, dims, new int[count])),
                integer("axis", 0));
        String bias = b.floats(new long[] {CHANNELS}, b.randoms(CHANNELS, -0.5f, 0.5f));
        return b.node("Conv", List.of(x, weights, bias), window(1));
    }

    /** Scales of 0: of codes, of weights rounded in the file, and of a whole layer. */
    private void deadChannels() {
        for (int i = 0; i < 4; i++) {
            Builder b = image();
            Codes x = input(b, UINT8);
            boolean whole = i == 3;
            int count = whole ? 1 : CHANNELS;
            long[] dims = whole ? new long[0] : new long[] {CHANNELS};
            float[] scales = b.randoms(count, 0.001f, 0.004f);
            scales[count / 2] = 0;
            String scale = b.floats(dims, scales);
            String zero = b.integers(INT8, dims, new int[count]);
            String codes = b.codes(INT8, -127, 127, CHANNELS, CHANNELS, 3, 3);
            if (i == 1) {
                float[] weights = b.randoms(CHANNELS * CHANNELS * 9, -0.2f, 0.2f);
                Arrays.fill(weights, count / 2 * CHANNELS * 9, (count / 2 + 1) * CHANNELS * 9, 0);
                codes = b.node("QuantizeLinear", List.of(
                        b.floats(new long[] {CHANNELS, CHANNELS, 3, 3}, weights), scale, zero), integer("axis", 0));
            } else if (i == 2) {
                codes = b.node("Identity", List.of(codes));
            }
            String weights = b.node("DequantizeLinear", List.of(codes, scale, zero), integer("axis", 0));
            String y = b.node("Conv", List.of(real(b, x.codes(), x), weights), window(1));
            files.add(b.file("scale 0 " + i, opset(), y, 0));
        }
    }

    /** DynamicQuantizeLinear and QuantizeLinear, ConvInteger, Cast, Mul, Add. */
    private void integerConvolutions() {
        for (int i = 0; i < 16; i++) {
            boolean dynamic = (i & 1) == 0;
            boolean signedWeights = (i & 2) != 0;
            boolean bias = (i & 4) != 0;
            int group = (i & 8) == 0 ? 1 : CHANNELS;
            Builder b = image();
            List<String> codes = quantized(b, dynamic);
            int type = signedWeights ? INT8 : UINT8;
            List<String> inputs = List.of(codes.get(0),
                    b.codes(type, signedWeights ? -127 : 0, signedWeights ? 127 : 255, CHANNELS, CHANNELS / group, 3,
                            3),
                    codes.get(2), b.zero(type, signedWeights ? i % 3 : 117));
            String sums = b.node("Cast", List.of(b.node("ConvInteger", inputs, window(group))), integer("to", 1));
            boolean perChannel = i % 3 == 1;
            String scale = perChannel
                    ? b.floats(new long[] {1, CHANNELS, 1, 1}, b.randoms(CHANNELS, 0.001f, 0.004f)) : b.scalar(0.002f);
            String y = scaled(b, sums, codes.get(1), scale, i % 2 == 0 || !dynamic);
            if (bias) {
                y = b.node("Add", List.of(y,
                        b.floats(new long[] {1, CHANNELS, 1, 1}, b.randoms(CHANNELS, -0.5f, 0.5f))));
            }
            files.add(b.file("ConvInteger" + (dynamic ? " dynamic" : " static") + (signedWeights ? " int8" : " uint8")
                    + (perChannel ? " per channel" : "") + (bias ? " bias" : "") + " group " + group, opset(), y, 0));
        }
    }

    /** Codes, scale and zero point of the input. */
    private List<String> quantized(Builder b, boolean dynamic) {
        if (dynamic) {
            return b.nodes("", "DynamicQuantizeLinear", List.of("x"), 3);
        }
        Codes x = input(b, UINT8);
        return List.of(x.codes(), x.scale(), x.zero());
    }

    private static String scaled(Builder b, String sums, String inputScale, String weightScale, boolean together) {
        return together ? b.node("Mul", List.of(sums, b.node("Mul", List.of(inputScale, weightScale))))
                : b.node("Mul", List.of(b.node("Mul", List.of(inputScale, sums)), weightScale));
    }

    private void products() {
        for (int i = 0; i < 8; i++) {
            boolean dynamic = (i & 1) == 0;
            boolean perChannel = (i & 2) != 0;
            Builder b = new Builder(random, 5, 12);
            List<String> codes = quantized(b, dynamic);
            long[] dims = perChannel ? new long[] {8} : new long[0];
            String weights = b.codes(INT8, -127, 127, 12, 8);
            String scale = b.floats(dims, b.randoms(perChannel ? 8 : 1, 0.001f, 0.004f));
            if (i < 4) {
                String zero = b.integers(INT8, dims, new int[perChannel ? 8 : 1]);
                String sums = b.node("MatMulInteger", List.of(codes.get(0), weights, codes.get(2), zero));
                String y = scaled(b, b.node("Cast", List.of(sums), integer("to", 1)), codes.get(1), scale, true);
                y = b.node("Add", List.of(y, b.floats(new long[] {8}, b.randoms(8, -1, 1))));
                files.add(b.file("MatMulInteger" + (dynamic ? " dynamic" : " static")
                        + (perChannel ? " per channel" : ""), opset(), y, 0));
            } else if (dynamic) {
                String zero = b.integers(INT8, dims, new int[perChannel ? 8 : 1]);
                String y = perChannel
                        ? b.microsoft("DynamicQuantizeMatMul",
                                List.of("x", weights, scale, zero, b.floats(new long[] {8}, b.randoms(8, -1, 1))))
                        : b.microsoft("MatMulIntegerToFloat",
                                List.of(codes.get(0), weights, codes.get(1), scale, codes.get(2), zero));
                files.add(b.file(perChannel ? "DynamicQuantizeMatMul" : "MatMulIntegerToFloat", opset(), y, 0));
            } else {
                Codes y = output(b, UINT8);
                String zero = b.integers(INT8, dims, new int[perChannel ? 8 : 1]);
                String product = perChannel
                        ? b.microsoft("QGemm",
                                List.of(codes.get(0), codes.get(1), codes.get(2), weights, scale, zero,
                                        b.codes(INT32, -9000, 9000, 8), y.scale(), y.zero()))
                        : b.node("QLinearMatMul",
                                List.of(codes.get(0), codes.get(1), codes.get(2), weights, scale, zero, y.scale(),
                                        y.zero()));
                files.add(b.file(perChannel ? "QGemm" : "QLinearMatMul", opset(), real(b, product, y), y.step()));
            }
        }
    }

    private void elementWise() {
        for (int type : new int[] {UINT8, INT8}) {
            for (String operator : List.of("QLinearAdd", "QLinearMul", "QLinearSigmoid", "QLinearLeakyRelu",
                    "QLinearGlobalAveragePool", "QLinearAveragePool", "QLinearConcat")) {
                Builder b = image();
                Codes x = input(b, type);
                Codes y = output(b, type);
                List<String> one = List.of(x.codes(), x.scale(), x.zero());
                List<String> inputs = new ArrayList<>(one);
                if (operator.equals("QLinearAdd") || operator.equals("QLinearMul")) {
                    inputs.addAll(one);
                }
                inputs.addAll(List.of(y.scale(), y.zero()));
                if (operator.equals("QLinearConcat")) {
                    inputs = new ArrayList<>(List.of(y.scale(), y.zero()));
                    inputs.addAll(one);
                    inputs.addAll(one);
                }
                AttributeProto.Builder[] attributes = switch (operator) {
                    case "QLinearLeakyRelu" -> new AttributeProto.Builder[] {floating("alpha", 0.1f)};
                    case "QLinearConcat" -> new AttributeProto.Builder[] {integer("axis", 1)};
                    case "QLinearAveragePool" -> new AttributeProto.Builder[] {integers("kernel_shape", 2L, 2L),
                            integers("strides", 2L, 2L)};
                    case "QLinearGlobalAveragePool" -> new AttributeProto.Builder[] {integer("channels_last", 0)};
                    default -> new AttributeProto.Builder[0];
                };
                String codes = b.microsoft(operator, inputs, attributes);
                files.add(b.file(operator + (type == INT8 ? " int8" : " uint8"), opset(), real(b, codes, y), y.step()));
            }
        }
    }

    /** Codes that are moved about between operators of codes, as in the neck of a detector. */
    private void blocks() {
        for (int type : new int[] {UINT8, INT8}) {
            Builder b = image();
            Codes x = input(b, type);
            Codes y = output(b, type);
            List<String> how = List.of(y.scale(), y.zero());
            String c = b.node("QLinearConv", List.of(x.codes(), x.scale(), x.zero(),
                    b.codes(INT8, -127, 127, CHANNELS, CHANNELS, 3, 3), b.scalar(0.002f), b.zero(INT8, 0), y.scale(),
                    y.zero()), window(1));
            Codes s = new Codes("", b.scalar(1f / 256), b.zero(type, type == INT8 ? -128 : 0), 1f / 256);
            String sigmoid = b.microsoft("QLinearSigmoid",
                    List.of(c, y.scale(), y.zero(), s.scale(), s.zero()));
            String silu = b.microsoft("QLinearMul",
                    List.of(c, y.scale(), y.zero(), sigmoid, s.scale(), s.zero(), y.scale(), y.zero()));
            String pooled = b.node("MaxPool", List.of(silu), integers("kernel_shape", 3L, 3L),
                    integers("pads", 1L, 1L, 1L, 1L));
            String padded = b.node("Pad", List.of(pooled, b.longs(0L, 0L, 0L, 0L, 0L, 0L, 1L, 1L), y.zero()));
            String small = b.node("MaxPool", List.of(padded), integers("kernel_shape", 2L, 2L),
                    integers("strides", 2L, 2L));
            String large = b.node("Resize", List.of(small, "", b.floats(new long[] {4}, 1, 1, 2, 2)),
                    TestModels.text("mode", "nearest"), TestModels.text("coordinate_transformation_mode", "asymmetric"),
                    TestModels.text("nearest_mode", "floor"));
            String turned = b.node("Transpose", List.of(b.node("Transpose", List.of(large),
                    integers("perm", 0L, 2L, 3L, 1L))), integers("perm", 0L, 3L, 1L, 2L));
            List<String> halves = b.nodes("", "Split", List.of(turned, b.longs(2L, 4L)), 2, integer("axis", 1));
            String joined = b.node("Concat", List.of(halves.get(1), halves.get(0)), integer("axis", 1));
            List<String> sum = new ArrayList<>(List.of(joined));
            sum.addAll(how);
            sum.add(turned);
            sum.addAll(how);
            sum.addAll(how);
            String added = b.microsoft("QLinearAdd", sum);
            files.add(b.file("block of codes " + (type == INT8 ? "int8" : "uint8"), 13, real(b, added, y),
                    2 * y.step()));
        }
    }

    /** Masks on weights before and behind their quantisers, and a convolution that does not name its window. */
    private void masks() {
        for (int i = 0; i < 4; i++) {
            Builder b = image();
            Codes x = input(b, UINT8);
            float[] ones = new float[CHANNELS * CHANNELS * 9];
            for (int k = 0; k < ones.length; k++) {
                ones[k] = random.nextInt(3) == 0 ? 0 : 1;
            }
            long[] dims = {CHANNELS, CHANNELS, 3, 3};
            String mask = i == 3 ? b.floats(new long[] {CHANNELS, 1, 1, 1}, Arrays.copyOf(ones, CHANNELS))
                    : b.floats(dims, ones);
            String weights = b.floats(dims, b.randoms(ones.length, -0.2f, 0.2f));
            String scale = b.floats(new long[] {CHANNELS}, b.randoms(CHANNELS, 0.001f, 0.002f));
            String zero = b.integers(INT8, new long[] {CHANNELS}, new int[CHANNELS]);
            String w = i == 0 ? b.node("Mul", List.of(weights, mask)) : weights;
            if (i > 0) {
                String masked = i == 1 ? b.node("Mul", List.of(mask, w)) : w;
                w = b.node("DequantizeLinear", List.of(
                        b.node("QuantizeLinear", List.of(masked, scale, zero), integer("axis", 0)), scale, zero),
                        integer("axis", 0));
                w = i == 1 ? w : b.node("Mul", List.of(w, mask));
            }
            String y = b.node("Conv", List.of(real(b, x.codes(), x), w), integers("pads", 1L, 1L, 1L, 1L));
            files.add(b.file("mask " + i, opset(), y, 0));
        }
    }
}
