package dev.shrike.onnx;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.onnx.proto.Onnx.AttributeProto;
import dev.shrike.onnx.proto.Onnx.NodeProto;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Operators that compute with codes themselves, as the float operator between DequantizeLinear and QuantizeLinear: the
 * QLinear ones of ONNX and of ONNX Runtime ("QOperator" format), and ConvInteger and MatMulInteger
 * ({@code quantize_dynamic}), whose sums are those of codes with a scale of 1. ONNX Runtime's own names for the two
 * quantisers become ONNX's. What the pieces say together, {@link dev.shrike.graph.passes.ImportQuantization} finds.
 */
final class QuantizedOperators {
    private static final String MICROSOFT = "com.microsoft";
    private static final Set<String> BLOCKED = Set.of("MatMulNBits", "MatMulBnb4", "GatherBlockQuantized", "QMoE");

    private final ReadScope scope;
    private final NodeProto node;
    private final String name;
    private final List<NodeProto> pieces = new ArrayList<>();

    private QuantizedOperators(NodeProto node, String name, ReadScope scope) {
        this.node = node;
        this.name = name;
        this.scope = scope;
    }

    /** A tensor of codes with its scale and zero point, by the index of its first input. */
    private record Codes(String codes, String scale, String zero) {}

    /** The node as nodes that the reader knows: itself, or several, the last of which has its name. */
    static List<NodeProto> expand(NodeProto node, String name, ReadScope scope) {
        if (node.getDomain().equals(MICROSOFT) && BLOCKED.contains(node.getOpType())) {
            throw new UnsupportedModelException("node '" + name + "' (" + MICROSOFT + "." + node.getOpType()
                    + "): weights in blocks (4-bit formats of language models) are not supported; export the float"
                    + " model"
                    + " and quantise it with 'shrike quantize', which has 4-bit weights with a scale for each channel");
        }
        QuantizedOperators expansion = new QuantizedOperators(node, name, scope);
        boolean known = node.getDomain().equals(MICROSOFT) ? expansion.microsoft()
                : (node.getDomain().isEmpty() || node.getDomain().equals("ai.onnx")) && expansion.standard();
        return known ? expansion.pieces : List.of(node);
    }

    private boolean standard() {
        switch (node.getOpType()) {
            case "QLinearConv" -> linearConvolution();
            case "QLinearMatMul" -> quantized(named("MatMul",
                    List.of(real(codes(0), -2), real(codes(3), -1))), input(6), input(7));
            case "ConvInteger" -> integers("Conv", 0);
            case "MatMulInteger" -> integers("MatMul", -1);
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean microsoft() {
        switch (node.getOpType()) {
            case "QuantizeLinear", "DequantizeLinear" -> pieces.add(node.toBuilder().clearDomain().build());
            case "QLinearConv" -> linearConvolution();
            case "QLinearAdd", "QLinearMul" -> quantized(named(node.getOpType().substring("QLinear".length()),
                    List.of(real(codes(0), 1), real(codes(3), 1))), input(6), input(7));
            case "QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax", "QLinearGlobalAveragePool",
                    "QLinearAveragePool", "QLinearReduceMean" ->
                quantized(named(node.getOpType().substring("QLinear".length()), List.of(real(codes(0), 1)),
                        attributes("channels_last", "opset")), input(3), input(4));
            case "QLinearConcat" -> linearConcat();
            case "QLinearWhere" -> quantized(named("Where",
                    List.of(input(0), real(codes(1), 1), real(codes(4), 1))), input(7), input(8));
            case "QGemm" -> gemm();
            case "DynamicQuantizeMatMul" -> dynamicProduct();
            case "MatMulIntegerToFloat" -> product(real(new Codes(input(0), input(2), input(4)), -2),
                    real(new Codes(input(1), input(3), input(5)), -1), input(6));
            default -> {
                return false;
            }
        }
        return true;
    }

    private void linearConvolution() {
        Codes x = codes(0);
        Codes weights = codes(3);
        List<String> inputs = new ArrayList<>(List.of(real(x, 1), real(weights, 0)));
        if (!input(8).isEmpty()) {
            inputs.add(bias(input(8), x.scale(), weights.scale()));
        }
        quantized(named("Conv", inputs, attributes("channels_last")), input(6), input(7));
    }

    /** Floats of an int32 bias, whose scale is the product of those of input and weights. */
    private String bias(String codes, String inputScale, String weightScale) {
        String scale = piece("bias_scale", "Mul", List.of(inputScale, weightScale));
        return piece("bias", "DequantizeLinear", List.of(codes, scale), axis(0));
    }

    private void integers(String operator, int axis) {
        List<String> inputs = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            String zero = input(2 + i);
            Shape shape = scope.constant(zero).map(Tensor::shape).orElse(Shape.of());
            float[] ones = new float[Math.toIntExact(shape.elements())];
            Arrays.fill(ones, 1);
            String one = scope.addGenerated(name + "_one", Tensor.ofFloats(shape, ones));
            int along = operator.equals("Conv") || i == 1 ? axis : -2;
            inputs.add(real(new Codes(input(i), one, zero), along));
        }
        String sums = piece("sums", operator, inputs, attributes().toArray(AttributeProto[]::new));
        last("Cast", List.of(sums), List.of(integer("to", DataType.INT32.onnxCode())));
    }

    private void linearConcat() {
        List<String> inputs = new ArrayList<>();
        if (node.getInputCount() < 5 || node.getInputCount() % 3 != 2) {
            throw new ModelException("node '" + name + "' (" + MICROSOFT + ".QLinearConcat): has "
                    + node.getInputCount() + " inputs, expected a scale, a zero point, and three for each operand");
        }
        for (int i = 2; i < node.getInputCount(); i += 3) {
            inputs.add(real(codes(i), 1));
        }
        quantized(named("Concat", inputs, attributes()), input(0), input(1));
    }

    /** Without a scale of the result that is real. */
    private void gemm() {
        Codes a = codes(0);
        Codes b = codes(3);
        boolean transposed = node.getAttributeList().stream()
                .anyMatch(attribute -> attribute.getName().equals("transB") && attribute.getI() != 0);
        List<String> inputs = new ArrayList<>(List.of(real(a, -2), real(b, transposed ? 0 : 1)));
        if (!input(6).isEmpty()) {
            float alpha = (float) node.getAttributeList().stream()
                    .filter(attribute -> attribute.getName().equals("alpha")).mapToDouble(AttributeProto::getF)
                    .findFirst().orElse(1);
            String factor = scope.addGenerated(name + "_alpha", Tensor.scalar(alpha));
            String scale = piece("alpha_scale", "Mul", List.of(a.scale(), factor));
            inputs.add(bias(input(6), scale, b.scale()));
        }
        if (input(7).isEmpty()) {
            last("Gemm", inputs, attributes());
        } else {
            quantized(named("Gemm", inputs, attributes()), input(7), input(8));
        }
    }

    /** The first operand rounded by its own range, the second one of codes. */
    private void dynamicProduct() {
        List<String> measured = List.of(fresh("codes"), fresh("scale"), fresh("zero_point"));
        pieces.add(NodeProto.newBuilder().setName(scope.freshNode(name + "_codes")).setOpType("DynamicQuantizeLinear")
                .addInput(input(0)).addAllOutput(measured).build());
        String real = piece("real", "DequantizeLinear", measured, axis(1));
        product(real, real(new Codes(input(1), input(2), input(3)), -1), input(4));
    }

    private void product(String left, String right, String bias) {
        if (bias.isEmpty()) {
            last("MatMul", List.of(left, right), List.of());
        } else {
            last("Add", List.of(piece("product", "MatMul", List.of(left, right)), bias), List.of());
        }
    }

    private Codes codes(int first) {
        return new Codes(input(first), input(first + 1), input(first + 2));
    }

    /** The floats of codes; an only zero point is repeated for every scale. */
    private String real(Codes value, int axis) {
        List<String> inputs = new ArrayList<>(List.of(value.codes(), value.scale()));
        if (!value.zero().isEmpty()) {
            inputs.add(repeated(value.zero(), value.scale()));
        }
        return piece("real", "DequantizeLinear", inputs, axis(axis));
    }

    private String repeated(String zero, String scale) {
        Tensor zeros = scope.constant(zero).orElse(null);
        Tensor scales = scope.constant(scale).orElse(null);
        if (zeros == null || scales == null || zeros.elements() != 1 || scales.elements() == 1) {
            return zero;
        }
        long[] values = new long[Math.toIntExact(scales.elements())];
        Arrays.fill(values, zeros.longAt(0));
        return scope.addGenerated(zero + "_repeated", Tensor.of(zeros.type(), scales.shape(), values));
    }

    /** Ends with the codes of the value under the node's own name. */
    private void quantized(String value, String scale, String zero) {
        last("QuantizeLinear", zero.isEmpty() ? List.of(value, scale) : List.of(value, scale, zero), List.of(axis(1)));
    }

    private String named(String operator, List<String> inputs) {
        return named(operator, inputs, List.of());
    }

    private String named(String operator, List<String> inputs, List<AttributeProto> attributes) {
        return piece(operator, operator, inputs, attributes.toArray(AttributeProto[]::new));
    }

    private String piece(String what, String operator, List<String> inputs, AttributeProto... attributes) {
        String output = fresh(what);
        pieces.add(NodeProto.newBuilder().setName(scope.freshNode(name + "_" + what)).setOpType(operator)
                .addAllInput(inputs).addOutput(output).addAllAttribute(List.of(attributes)).build());
        return output;
    }

    private void last(String operator, List<String> inputs, List<AttributeProto> attributes) {
        pieces.add(NodeProto.newBuilder().setName(name).setOpType(operator).addAllInput(inputs)
                .addAllOutput(node.getOutputList()).addAllAttribute(attributes).build());
    }

    private String fresh(String what) {
        return scope.freshValue(name + "_" + what);
    }

    private String input(int index) {
        return index < node.getInputCount() ? node.getInput(index) : "";
    }

    /** The node's attributes but for these, which must be as they are unless given. */
    private List<AttributeProto> attributes(String... without) {
        List<AttributeProto> kept = new ArrayList<>();
        for (AttributeProto attribute : node.getAttributeList()) {
            if (!Set.of(without).contains(attribute.getName())) {
                kept.add(attribute);
            } else if (attribute.getName().equals("channels_last") && attribute.getI() != 0) {
                throw new UnsupportedModelException("node '" + name + "' (" + MICROSOFT + "." + node.getOpType()
                        + "): channels_last is what ONNX Runtime's optimiser makes for one processor; give the model as"
                        + " it was before that optimisation");
            }
        }
        return kept;
    }

    private static AttributeProto axis(int axis) {
        return integer("axis", axis);
    }

    private static AttributeProto integer(String name, long value) {
        return AttributeProto.newBuilder().setName(name).setType(AttributeProto.Type.INT).setI(value).build();
    }
}
