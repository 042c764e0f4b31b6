package dev.shrike.cpu.lowering;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.kernels.LookupTable;
import dev.shrike.graph.quantization.QuantizedAdd;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Decides for every value of a graph whether it lives as codes or as floats, and makes the steps between.
 *
 * <p>Convolutions of codes by integer weights stay integer ({@link ConvLowering}). Concat, Split, pooling, nearest
 * resizing and reshapes work on the codes. A value that is rounded by its own range becomes codes once for all
 * convolutions that read it. Whatever has no integer form gets floats and, where the graph asks for it, gives codes
 * again.
 */
public final class QuantizedLowering {
    /** The graph with the quantisation of every value that is to be codes. */
    private final Graph graph;
    private final NetworkBuilder network;
    private final ConvLowering convolutions;

    private QuantizedLowering(Graph graph) {
        Map<String, ValueInfo> types = KnownShapes.of(graph);
        this.graph = graph.isQuantized()
                ? graph.withNodes(graph.nodes(), graph.constants(), CodesThroughLayout.spread(graph))
                : graph;
        this.network = new NetworkBuilder(this.graph, types);
        this.convolutions = new ConvLowering(this.graph, network);
    }

    /**
     * The network with explicit codes.
     *
     * @param graph a graph whose shapes are all known
     */
    public static LoweredNetwork lower(Graph graph) {
        return new QuantizedLowering(graph).run();
    }

    private LoweredNetwork run() {
        for (ValueInfo input : graph.inputs()) {
            if (network.isCodes(input.name())) {
                network.quantize(input.name(), input.name());
            }
        }
        for (Node node : graph.nodes()) {
            if (!convolutions.hasAbsorbed(node)) {
                NodeErrors.guarded(node, () -> lower(node));
            }
        }
        return network.build();
    }

    private void lower(Node node) {
        boolean done =
                switch (node.op()) {
                    case Op.Conv _,Op.MatMul _,Op.Gemm _ -> convolutions.lower(node);
                    case Op.DynamicQuant _ -> quantizeDynamic(node);
                    case Op.Unary unary -> table(node, unary);
                    case Op.Trunc _ -> truncation(node);
                    case Op.Binary binary -> sum(node, binary);
                    case Op.Concat _ -> concatCodes(node);
                    case Op.MaxPool _,Op.DepthToSpace _ -> moveCodes(node);
                    case Op.Resize resize -> resize.mode() == Op.Resize.Mode.NEAREST && moveCodes(node);
                    default -> ViewOps.isOne(node) && moveCodes(node);
                };
        if (!done) {
            onFloats(node);
        }
    }

    private boolean quantizeDynamic(Node node) {
        network.quantizeDynamic(node.name(), node.input(0), node.output());
        return true;
    }

    // --- operations on codes ---------------------------------------------------------------------------------------

    private boolean table(Node node, Op.Unary unary) {
        return network.isCodes(node.input(0)) && network.isCodes(node.output()) && table(node,
                LookupTable.of(unary, network.quantization(node.input(0)), network.quantization(node.output())));
    }

    private boolean truncation(Node node) {
        return network.isCodes(node.input(0)) && network.isCodes(node.output())
                && LookupTable.ofTrunc(graph, node).filter(table -> table(node, table)).isPresent();
    }

    private boolean table(Node node, LookupTable table) {
        network.add(node.name(), new CodesOp.Lut(table), List.of(network.codes(node.input(0))),
                network.newCodes(node.output()));
        return true;
    }

    private boolean sum(Node node, Op.Binary binary) {
        if (binary.kind() != Op.Binary.Kind.ADD || !network.isPlainCodes(node.input(0))
                || !network.isPlainCodes(node.input(1)) || !network.isPlainCodes(node.output())) {
            return false;
        }
        QuantizedAdd sum = QuantizedAdd.of(network.quantization(node.input(0)), network.quantization(node.input(1)),
                network.quantization(node.output()));
        network.add(node.name(), new CodesOp.AddCodes(sum),
                List.of(network.codes(node.input(0)), network.codes(node.input(1))),
                network.newCodes(node.output()));
        return true;
    }

    /** Whether the first inputs and all results are codes. */
    private boolean isOnCodes(Node node, int operands) {
        return node.inputs().stream().limit(operands).allMatch(network::isCodes)
                && node.outputs().stream().allMatch(output -> output.isEmpty() || network.isCodes(output));
    }

    private boolean concatCodes(Node node) {
        if (!isOnCodes(node, node.inputs().size())) {
            return false;
        }
        List<String> operands = new ArrayList<>();
        for (int i = 0; i < node.inputs().size(); i++) {
            operands.add(network.operand(node.name(), node.input(i), i, node.output()));
        }
        network.add(node.name(), concat(node), operands, network.newCodes(node.output()));
        return true;
    }

    /** Operations that move codes without looking at them, or only compare them. */
    private boolean moveCodes(Node node) {
        if (!isOnCodes(node, 1)) {
            return false;
        }
        String input = node.input(0);
        List<LoweredTensor> results = new ArrayList<>();
        List<Runnable> after = new ArrayList<>();
        for (String output : node.outputs()) {
            if (output.isEmpty()) {
                results.add(null);
            } else if (network.haveSameCodes(input, output)) {
                results.add(network.newCodes(output));
            } else {
                LoweredTensor before = network.before(output, input);
                results.add(before);
                after.add(() -> network.requantize(input, before, output));
            }
        }
        network.add(node.name(), mover(node), List.of(network.codes(input)), results);
        after.forEach(Runnable::run);
        return true;
    }

    private LoweredOp mover(Node node) {
        return switch (node.op()) {
            case Op.MaxPool pool -> new CodesOp.MaxPoolCodes(pool.window());
            case Op.DepthToSpace shuffle -> new CodesOp.DepthToSpaceCodes(shuffle);
            case Op.Resize resize -> resizeCodes(node, resize);
            default -> view(node);
        };
    }

    private CodesOp resizeCodes(Node node, Op.Resize resize) {
        if (!node.hasInput(2)) {
            return new CodesOp.ResizeCodes(resize, 0, 0);
        }
        Tensor scales = graph.constants().get(node.input(2));
        if (scales == null) {
            throw new UnsupportedModelException("node '" + node.name() + "': input 2 ('" + node.input(2)
                    + "') must be a constant");
        }
        return scales.elements() == 4 ? new CodesOp.ResizeCodes(resize, scales.floatAt(2), scales.floatAt(3))
                : new CodesOp.ResizeCodes(resize, 0, 0);
    }

    // --- operations on either ---------------------------------------------------------------------------------------

    private LoweredOp concat(Node node) {
        int axis = ((Op.Concat) node.op()).axis();
        return new LoweredOp.Concat(axis < 0 ? axis + network.shape(node.output()).rank() : axis);
    }

    private ViewOp view(Node node) {
        return ViewOps.of(graph, node, network.shape(node.input(0)));
    }

    // --- operations on floats ---------------------------------------------------------------------------------------

    private void onFloats(Node node) {
        boolean view = ViewOps.isOne(node);
        LoweredOp op = view ? view(node)
                : node.op() instanceof Op.Concat ? concat(node) : new LoweredOp.FloatOp(node.op());
        // What bounds a view is part of it.
        List<String> operands = new ArrayList<>();
        for (String input : view ? node.inputs().subList(0, 1) : node.inputs()) {
            operands.add(input.isEmpty() ? "" : network.floats(input));
        }
        List<LoweredTensor> results = new ArrayList<>();
        for (String output : node.outputs()) {
            results.add(output.isEmpty() ? null : network.exact(output));
        }
        network.add(node.name(), op, operands, results);
        for (int i = 0; i < results.size(); i++) {
            if (results.get(i) != null && network.isCodes(node.outputs().get(i))) {
                network.quantize(results.get(i).name(), node.outputs().get(i));
            }
        }
    }
}
