package dev.shrike.onnx.writer;

import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import dev.shrike.onnx.names.OpNames;
import dev.shrike.onnx.names.UniqueNames;
import dev.shrike.onnx.proto.Onnx.NodeProto;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Nodes of a graph as nodes of ONNX's own operators; what Shrike fuses into one comes apart again. */
final class NodeWriter {
    static final String QONNX_DOMAIN = "qonnx.custom_op.general";

    private final int opset;
    private final Map<String, Tensor> constants;
    private final Function<String, DataType> types;
    private final UniqueNames valueNames;
    private final UniqueNames nodeNames;
    private final List<NodeProto> written = new ArrayList<>();
    private final Map<String, Tensor> added = new LinkedHashMap<>();
    private final Set<String> asAttribute = new HashSet<>();

    /**
     * A writer for one graph.
     *
     * @param types element types of values, asked for only where a node needs constants of its input's type
     * @param valueNames names of all values, to which generated ones are added
     * @param nodeNames names of all nodes, to which generated ones are added
     */
    NodeWriter(
            int opset, Map<String, Tensor> constants, Function<String, DataType> types, UniqueNames valueNames,
            UniqueNames nodeNames) {
        this.opset = opset;
        this.constants = constants;
        this.types = types;
        this.valueNames = valueNames;
        this.nodeNames = nodeNames;
    }

    List<NodeProto> written() {
        return written;
    }

    /** Constants that nodes written so far need and the graph does not have. */
    Map<String, Tensor> added() {
        return added;
    }

    /** Constants that became attributes of nodes written so far. */
    Set<String> asAttribute() {
        return asAttribute;
    }

    void write(Node node) {
        switch (node.op()) {
            case Op.Conv conv -> convolution(node, conv);
            case Op.Unary unary when unary.kind() == Op.Unary.Kind.SILU ->
                silu(node.name(), node.input(0), node.output());
            case Op.Unary unary when unary.kind() == Op.Unary.Kind.MISH -> mish(node);
            case Op.Unary unary when unary.kind() == Op.Unary.Kind.GELU -> gelu(node);
            case Op.Unary unary when unary.kind() == Op.Unary.Kind.GELU_TANH -> geluByTangent(node);
            case Op.Reduce reduce -> reduce(node, reduce);
            default -> written.add(proto(node).build());
        }
    }

    private NodeProtos proto(Node node) {
        return switch (node.op()) {
            case Op.Conv _,Op.Reduce _ -> throw new AssertionError(node.op() + " is written by its own method");
            case Op.BatchNormalization op -> plain(node, "BatchNormalization").with("epsilon", op.epsilon());
            case Op.MatMul _ -> plain(node, "MatMul");
            case Op.Gemm op -> plain(node, "Gemm")
                    .with("alpha", op.alpha())
                    .with("beta", op.beta())
                    .with("transA", op.transA())
                    .with("transB", op.transB());
            case Op.Unary op -> unary(node, op);
            case Op.Binary op -> plain(node, OpNames.of(op.kind()));
            case Op.Clip _ -> plain(node, "Clip");
            case Op.Cast op -> plain(node, "Cast").with("to", op.to().onnxCode());
            case Op.Softmax op -> plain(node, "Softmax").with("axis", op.axis());
            case Op.MaxPool op ->
                dilated(window(plain(node, "MaxPool"), op.window()), op.window()).with("ceil_mode", op.ceilMode());
            case Op.AveragePool op -> averagePool(node, op);
            case Op.GlobalAveragePool _ -> plain(node, "GlobalAveragePool");
            case Op.Resize op -> resize(node, op);
            case Op.Concat op -> plain(node, "Concat").with("axis", op.axis());
            case Op.Split op -> split(node, op);
            case Op.Slice _ -> plain(node, "Slice");
            case Op.Reshape op -> plain(node, "Reshape").with("allowzero", op.allowZero());
            case Op.Transpose op -> transpose(node, op);
            case Op.Flatten op -> plain(node, "Flatten").with("axis", op.axis());
            case Op.Squeeze _ -> plain(node, "Squeeze");
            case Op.Unsqueeze _ -> plain(node, "Unsqueeze");
            case Op.Pad op -> plain(node, "Pad").with("mode", op.mode().name().toLowerCase(Locale.ROOT));
            case Op.SpaceToDepth op -> plain(node, "SpaceToDepth").with("blocksize", op.blockSize());
            case Op.GatherElements op -> plain(node, "GatherElements").with("axis", op.axis());
            case Op.GatherNd op -> plain(node, "GatherND").with("batch_dims", op.batchDims());
            case Op.ScatterElements op -> reduction(plain(node, "ScatterElements").with("axis", op.axis()),
                    op.reduction());
            case Op.ScatterNd op -> reduction(plain(node, "ScatterND"), op.reduction());
            case Op.TopK op -> plain(node, "TopK").with("axis", op.axis()).with("largest", op.largest());
            case Op.ArgExtreme op -> plain(node, op.largest() ? "ArgMax" : "ArgMin")
                    .with("axis", op.axis())
                    .with("keepdims", op.keepDims())
                    .with("select_last_index", op.selectLast());
            case Op.Hardmax op -> plain(node, "Hardmax").with("axis", op.axis());
            case Op.OneHot op -> plain(node, "OneHot").with("axis", op.axis());
            case Op.Trilu op -> plain(node, "Trilu").with("upper", op.upper());
            case Op.CumSum op ->
                plain(node, "CumSum").with("exclusive", op.exclusive()).with("reverse", op.reverse());
            case Op.DepthToSpace op -> plain(node, "DepthToSpace")
                    .with("blocksize", op.blockSize())
                    .with("mode", op.depthColumnRow() ? "DCR" : "CRD");
            case Op.ShapeOf op -> shape(node, op);
            case Op.Gather op -> plain(node, "Gather").with("axis", op.axis());
            case Op.Range _ -> plain(node, "Range");
            case Op.Expand _ -> plain(node, "Expand");
            case Op.Tile _ -> plain(node, "Tile");
            case Op.Where _ -> plain(node, "Where");
            case Op.ConstantOfShape op -> plain(node, "ConstantOfShape").with("value", op.value());
            case Op.Identity _ -> plain(node, "Identity");
            case Op.QuantizeLinear op -> quantizeLinear(node, op);
            case Op.DequantizeLinear op -> plain(node, "DequantizeLinear").with("axis", op.axis());
            case Op.DynamicQuantizeLinear _ -> plain(node, "DynamicQuantizeLinear");
            case Op.DynamicQuant _ -> throw new IllegalStateException("ExportQuantization takes it apart");
            case Op.Quant op -> plain(node, "Quant")
                    .domain(QONNX_DOMAIN)
                    .with("signed", op.signed())
                    .with("narrow", op.narrow())
                    .with("rounding_mode", op.roundingMode());
            case Op.BipolarQuant _ -> plain(node, "BipolarQuant").domain(QONNX_DOMAIN);
            case Op.Trunc op ->
                plain(node, "Trunc").domain(QONNX_DOMAIN).with("rounding_mode", op.roundingMode());
        };
    }

    private static NodeProtos plain(Node node, String opType) {
        return new NodeProtos(node.name(), opType, node.inputs(), node.outputs());
    }

    // Conv, then the activation, then the sum with the residual.
    private void convolution(Node node, Op.Conv conv) {
        boolean activated = conv.activation().kind() != Activation.Kind.NONE;
        boolean summed = node.hasInput(3);
        String sum = node.output();
        String active = summed ? freshValue(sum + "_act") : sum;
        String linear = activated ? freshValue(sum + "_conv") : active;
        List<String> inputs = new ArrayList<>(node.inputs().subList(0, Math.min(3, node.inputs().size())));
        while (inputs.getLast().isEmpty()) {
            inputs.removeLast();
        }
        NodeProtos proto = new NodeProtos(node.name(), "Conv", inputs, List.of(linear)).with("group", conv.group());
        written.add(dilated(window(proto, conv.window()), conv.window()).build());
        if (activated) {
            activation(node.name(), conv.activation(), linear, active);
        }
        if (summed) {
            add(node.name() + "_add", "Add", List.of(active, node.input(3)), sum);
        }
    }

    private void activation(String name, Activation activation, String from, String to) {
        String fresh = name + "_" + activation.kind().name().toLowerCase(Locale.ROOT);
        switch (activation.kind()) {
            case NONE -> add(fresh, "Identity", List.of(from), to);
            case SILU -> silu(name, from, to);
            case RELU -> add(fresh, "Relu", List.of(from), to);
            case SIGMOID -> add(fresh, "Sigmoid", List.of(from), to);
            case HARD_SWISH -> add(fresh, "HardSwish", List.of(from), to);
            case TANH -> add(fresh, "Tanh", List.of(from), to);
            case LEAKY_RELU -> written.add(new NodeProtos(freshNode(fresh), "LeakyRelu", List.of(from), List.of(to))
                    .with("alpha", activation.alpha())
                    .build());
            case HARD_SIGMOID -> written.add(
                    new NodeProtos(freshNode(fresh), "HardSigmoid", List.of(from), List.of(to))
                            .with("alpha", activation.alpha())
                            .with("beta", activation.beta())
                            .build());
            case CLIP -> {
                String low = freshValue(name + "_min");
                String high = freshValue(name + "_max");
                added.put(low, Tensor.scalar(activation.alpha()));
                added.put(high, Tensor.scalar(activation.beta()));
                add(fresh, "Clip", List.of(from, low, high), to);
            }
        }
    }

    private void silu(String name, String from, String to) {
        String gate = freshValue(to + "_sigmoid");
        add(name + "_sigmoid", "Sigmoid", List.of(from), gate);
        add(name + "_mul", "Mul", List.of(from, gate), to);
    }

    private void mish(Node node) {
        String softplus = freshValue(node.output() + "_softplus");
        String tangent = freshValue(node.output() + "_tanh");
        add(node.name() + "_softplus", "Softplus", List.of(node.input(0)), softplus);
        add(node.name() + "_tanh", "Tanh", List.of(softplus), tangent);
        add(node.name() + "_mul", "Mul", List.of(node.input(0), tangent), node.output());
    }

    // As a name of its own only from opset 20 on.
    private void gelu(Node node) {
        String x = node.input(0);
        String scaled = product(node, x, x, (float) Math.sqrt(0.5), "_scaled");
        String erf = freshValue(node.output() + "_erf");
        add(node.name() + "_erf", "Erf", List.of(scaled), erf);
        halved(node, erf);
    }

    /** With the function's inner part {@code x * sqrt(2 / pi) * (1 + 0.044715 x^2)}. */
    private void geluByTangent(Node node) {
        String x = node.input(0);
        String square = freshValue(node.output() + "_square");
        add(node.name() + "_square", "Mul", List.of(x, x), square);
        String part = product(node, square, x, 0.044715f, "_part");
        String sum = plusOne(node, part, x, "_sum");
        String scaled = product(node, sum, x, (float) Math.sqrt(2 / Math.PI), "_scaled");
        String inner = freshValue(node.output() + "_inner");
        String tangent = freshValue(node.output() + "_tanh");
        add(node.name() + "_inner", "Mul", List.of(x, scaled), inner);
        add(node.name() + "_tanh", "Tanh", List.of(inner), tangent);
        halved(node, tangent);
    }

    /** {@code x * (1 + odd) / 2} as the node's result. */
    private void halved(Node node, String odd) {
        String sum = plusOne(node, odd, node.input(0), "_plus");
        String whole = freshValue(node.output() + "_twice");
        add(node.name() + "_twice", "Mul", List.of(node.input(0), sum), whole);
        add(node.name() + "_half", "Mul", List.of(whole, number(node, node.input(0), 0.5f, "_0.5")), node.output());
    }

    private String product(Node node, String value, String like, float factor, String role) {
        String result = freshValue(node.output() + role);
        add(node.name() + role, "Mul", List.of(value, number(node, like, factor, role + "_factor")), result);
        return result;
    }

    private String plusOne(Node node, String value, String like, String role) {
        String result = freshValue(node.output() + role);
        add(node.name() + role, "Add", List.of(value, number(node, like, 1, role + "_one")), result);
        return result;
    }

    /** A constant of the type that another value has. */
    private String number(Node node, String like, float value, String role) {
        String name = freshValue(node.name() + role);
        added.put(name, Tensor.scalar(value));
        DataType type = types.apply(like);
        if (type == DataType.FLOAT32) {
            return name;
        }
        String typed = freshValue(name + "_typed");
        written.add(new NodeProtos(freshNode(name + "_typed"), "Cast", List.of(name), List.of(typed))
                .with("to", type.onnxCode())
                .build());
        return typed;
    }

    private void add(String wantedName, String opType, List<String> inputs, String output) {
        written.add(new NodeProtos(freshNode(wantedName), opType, inputs, List.of(output)).build());
    }

    // Before opset 18 only ReduceSum takes its axes from an input.
    private void reduce(Node node, Op.Reduce op) {
        boolean fromAttribute = opset < 18 && op.kind() != Op.Reduce.Kind.SUM && node.hasInput(1);
        NodeProtos proto = fromAttribute
                ? new NodeProtos(node.name(), OpNames.of(op.kind()), List.of(node.input(0)), node.outputs())
                        .withList("axes", constants.get(node.input(1)).toLongs())
                : plain(node, OpNames.of(op.kind()));
        if (fromAttribute) {
            asAttribute.add(node.input(1));
        }
        written.add(proto.with("keepdims", op.keepDims()).build());
    }

    private static NodeProtos unary(Node node, Op.Unary op) {
        NodeProtos proto = plain(node, OpNames.of(op.kind()));
        return switch (op.kind()) {
            case LEAKY_RELU -> proto.with("alpha", op.alpha());
            case HARD_SIGMOID -> proto.with("alpha", op.alpha()).with("beta", op.beta());
            case ELU, CELU, THRESHOLDED_RELU -> proto.with("alpha", op.alpha());
            case SELU -> proto.with("alpha", op.alpha()).with("gamma", op.beta());
            case SIGMOID, SILU, RELU, HARD_SWISH, TANH, EXP, LOG, SQRT, NEG, ABS, FLOOR, CEIL, ROUND, RECIPROCAL, SIGN,
                    NOT, ERF, SOFTPLUS, MISH, GELU, GELU_TANH, SOFTSIGN, SIN, COS, ATAN ->
                proto;
        };
    }

    private static NodeProtos reduction(NodeProtos proto, Op.Reduction reduction) {
        return reduction == Op.Reduction.NONE ? proto
                : proto.with("reduction", reduction.name().toLowerCase(Locale.ROOT));
    }

    private static NodeProtos averagePool(Node node, Op.AveragePool op) {
        NodeProtos proto = window(plain(node, "AveragePool"), op.window())
                .with("ceil_mode", op.ceilMode())
                .with("count_include_pad", op.countIncludePad());
        boolean plain = op.window().dilationHeight() == 1 && op.window().dilationWidth() == 1;
        return plain ? proto : dilated(proto, op.window());
    }

    private static NodeProtos window(NodeProtos proto, Window window) {
        proto.withList("kernel_shape", window.kernelHeight(), window.kernelWidth())
                .withList("strides", window.strideHeight(), window.strideWidth());
        if (window.autoPad() != Window.AutoPad.EXPLICIT) {
            return proto.with("auto_pad", window.autoPad().name());
        }
        return proto.withList("pads", window.padTop(), window.padLeft(), window.padBottom(), window.padRight());
    }

    private static NodeProtos dilated(NodeProtos proto, Window window) {
        return proto.withList("dilations", window.dilationHeight(), window.dilationWidth());
    }

    private static NodeProtos resize(Node node, Op.Resize op) {
        NodeProtos proto = plain(node, "Resize")
                .with("mode", op.mode().name().toLowerCase(Locale.ROOT))
                .with("coordinate_transformation_mode", op.coordinates().name().toLowerCase(Locale.ROOT))
                .with("nearest_mode", op.nearest().name().toLowerCase(Locale.ROOT));
        if (op.mode() == Op.Resize.Mode.CUBIC) {
            proto.with("cubic_coeff_a", op.cubicCoefficient()).with("exclude_outside", op.excludeOutside());
        }
        return proto;
    }

    private static NodeProtos split(Node node, Op.Split op) {
        NodeProtos proto = plain(node, "Split").with("axis", op.axis());
        return node.hasInput(1) ? proto : proto.with("num_outputs", node.outputs().size());
    }

    private static NodeProtos transpose(Node node, Op.Transpose op) {
        NodeProtos proto = plain(node, "Transpose");
        return op.permutation().isEmpty() ? proto
                : proto.withList("perm", op.permutation().stream().mapToLong(Integer::longValue).toArray());
    }

    private static NodeProtos shape(Node node, Op.ShapeOf op) {
        NodeProtos proto = plain(node, "Shape").with("start", op.start());
        return op.end() == Integer.MAX_VALUE ? proto : proto.with("end", op.end());
    }

    private static NodeProtos quantizeLinear(Node node, Op.QuantizeLinear op) {
        NodeProtos proto = plain(node, "QuantizeLinear").with("axis", op.axis());
        boolean typeIsImplied = node.hasInput(2) || op.type() == DataType.UINT8;
        return typeIsImplied ? proto : proto.with("output_dtype", op.type().onnxCode());
    }

    private String freshValue(String wanted) {
        return valueNames.fresh(wanted);
    }

    private String freshNode(String wanted) {
        return nodeNames.fresh(wanted);
    }
}
