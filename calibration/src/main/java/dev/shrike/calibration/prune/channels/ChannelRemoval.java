package dev.shrike.calibration.prune.channels;

import dev.shrike.ModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.passes.EliminateDeadNodes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes a network without some of its channels. Weights, biases and statistics are cut, and so are the constants that
 * say sizes. What removed channels gave to the layers that read them is lost; {@link ConstantChannels} says what to add
 * to their biases.
 */
public final class ChannelRemoval {
    private final Graph graph;
    private final ChannelDependencies dependencies;
    private final Set<Integer> removed;
    private final Map<String, double[]> shifts;
    private final Map<String, ValueInfo> infos;
    private final Map<String, Tensor> constants;

    private ChannelRemoval(ChannelDependencies dependencies, Set<Integer> removed, Map<String, double[]> shifts) {
        this.shifts = shifts;
        this.graph = dependencies.graph();
        this.dependencies = dependencies;
        this.removed = removed;
        this.infos = ShapeInference.infer(graph);
        this.constants = new HashMap<>(graph.constants());
    }

    /**
     * The network without these units.
     *
     * @param shifts what to add to the results of layers, by name and output channel before anything is removed
     * @throws ModelException if a unit cannot be removed or a layer would be left without channels; names the node and
     *     the way out
     */
    public static Graph apply(ChannelDependencies dependencies, Set<Integer> units, Map<String, double[]> shifts) {
        return new ChannelRemoval(dependencies, units, shifts).run();
    }

    private Graph run() {
        for (int unit : removed) {
            Node pin = dependencies.pinnedBy(unit);
            if (pin != null) {
                throw new ModelException("channel " + dependencies.members(unit) + " cannot be removed: "
                        + (pin.name().isEmpty() ? "it is part of the network's output"
                                : "node '" + pin.name() + "' depends on it"));
            }
        }
        String empty = dependencies.emptied(removed);
        if (!empty.isEmpty()) {
            Node node = graph.nodes().stream().filter(n -> n.outputs().contains(empty)).findFirst().orElseThrow();
            throw new ModelException("node '" + node.name() + "' would be left without channels: all of '" + empty
                    + "' are to be removed; keep at least one, by a smaller share or a larger minimum for each layer");
        }
        for (Map.Entry<String, Tensor> constant : graph.constants().entrySet()) {
            constants.put(constant.getKey(), cut(constant.getKey(), constant.getValue()));
        }
        List<Node> nodes = new ArrayList<>();
        Map<String, Node> norms = Normalizations.of(graph);
        Map<Node, double[]> means = new HashMap<>();
        for (Node node : graph.nodes()) {
            Node norm = norms.get(node.name());
            if (norm != null && shifts.containsKey(node.name())) {
                means.put(norm, kept(node, shifts.get(node.name())));
                nodes.add(cut(node));
            } else if (means.containsKey(node)) {
                nodes.add(Normalizations.shifted(cut(node), means.get(node), newName(node.output() + ".mean"),
                        constants));
            } else {
                nodes.addAll(shifted(node, cut(node)));
            }
        }
        return new EliminateDeadNodes().apply(graph.withNodes(nodes, used(nodes)));
    }

    /** The node with a shifted result: by its bias, or by an addition behind a product, which has none. */
    private List<Node> shifted(Node original, Node node) {
        double[] shift = shifts.get(node.name());
        if (shift == null) {
            return List.of(node);
        }
        shift = kept(original, shift);
        boolean hasBias = node.op() instanceof Op.Conv
                || node.op() instanceof Op.Gemm gemm && (!node.hasInput(2) || gemm.beta() == 1);
        String bias = newName(node.output() + ".bias");
        if (hasBias) {
            float[] sum = new float[shift.length];
            float[] given = node.hasInput(2) ? constants.get(node.input(2)).toFloats() : new float[sum.length];
            for (int i = 0; i < sum.length; i++) {
                sum[i] = (float) (given[given.length == 1 ? 0 : i] + shift[i]);
            }
            constants.put(bias, Tensor.ofFloats(Shape.of(sum.length), sum));
            return List.of(node.withInputs(List.of(node.input(0), node.input(1), bias)));
        }
        constants.put(bias, TensorSlices.vector(shift));
        String product = newName(node.output() + ".product");
        return List.of(node.withOutputs(List.of(product)), new Node(newName(node.name() + "/shift"),
                new Op.Binary(Op.Binary.Kind.ADD), List.of(product, bias), List.of(node.output())));
    }

    /** What is left of a vector over the output channels of a layer. */
    private double[] kept(Node layer, double[] values) {
        int[] units = dependencies.units(layer.output(), layer.op() instanceof Op.Conv ? 1 : -1);
        return units == null ? values : Arrays.stream(kept(units)).mapToDouble(i -> values[i]).toArray();
    }

    private String newName(String wish) {
        String name = wish;
        while (infos.containsKey(name) || constants.containsKey(name)) {
            name += ".pruned";
        }
        return name;
    }

    private Map<String, Tensor> used(List<Node> nodes) {
        Set<String> names = new HashSet<>();
        nodes.forEach(node -> names.addAll(node.inputs()));
        Map<String, Tensor> used = new HashMap<>(constants);
        used.keySet().retainAll(names);
        return used;
    }

    /** Positions of those that stay. */
    private int[] kept(int[] units) {
        int[] kept = new int[units.length];
        int count = 0;
        for (int i = 0; i < units.length; i++) {
            if (!removed.contains(units[i])) {
                kept[count++] = i;
            }
        }
        return Arrays.copyOf(kept, count);
    }

    /** Size of each axis of a value afterwards. */
    private long[] sizes(String value) {
        Tensor constant = graph.constants().get(value);
        long[] dims = (constant != null ? constant.shape() : infos.get(value).shape()).toArray();
        for (int axis = 0; axis < dims.length; axis++) {
            int[] units = dependencies.units(value, axis);
            dims[axis] = units == null ? dims[axis] : kept(units).length;
        }
        return dims;
    }

    private Tensor cut(String name, Tensor tensor) {
        Tensor cut = tensor;
        for (int axis = 0; axis < tensor.shape().rank(); axis++) {
            int[] units = dependencies.units(name, axis);
            if (units != null) {
                int[] kept = kept(units);
                cut = kept.length == units.length ? cut : TensorSlices.take(cut, axis, kept);
            }
        }
        return cut;
    }

    private Node cut(Node node) {
        return switch (node.op()) {
            case Op.Conv conv -> convolution(node, conv);
            case Op.Split split -> split(node, split.axis());
            case Op.Slice _ -> slice(node);
            case Op.Reshape _ -> Arrays.equals(sizes(node.output()), infos.get(node.output()).shape().toArray())
                    ? node : withConstant(node, 1, sizes(node.output()));
            case Op.Expand _ -> Arrays.equals(sizes(node.output()), infos.get(node.output()).shape().toArray())
                    ? node : withConstant(node, 1, sizes(node.output()));
            case Op.Resize _ -> resize(node);
            default -> node;
        };
    }

    /** A depthwise convolution has as many groups as channels. */
    private Node convolution(Node node, Op.Conv conv) {
        long channels = infos.get(node.input(0)).shape().dim(1);
        boolean depthwise = conv.group() > 1 && conv.group() == channels;
        return depthwise
                ? node.withOp(new Op.Conv(conv.window(), Math.toIntExact(sizes(node.input(0))[1]), conv.activation()))
                : node;
    }

    private Node split(Node node, int given) {
        int rank = infos.get(node.input(0)).shape().rank();
        int along = given < 0 ? given + rank : given;
        int[] units = dependencies.units(node.input(0), along);
        if (units == null) {
            return node;
        }
        long[] sizes = new long[node.outputs().size()];
        int from = 0;
        for (int i = 0; i < sizes.length; i++) {
            int size = Math.toIntExact(node.hasInput(1) ? graph.constants().get(node.input(1)).longAt(i)
                    : Math.ceilDiv(units.length, sizes.length));
            size = Math.min(size, units.length - from);
            sizes[i] = kept(Arrays.copyOfRange(units, from, from + size)).length;
            from += size;
        }
        return withConstant(node, 1, sizes);
    }

    private Node slice(Node node) {
        Shape shape = infos.get(node.input(0)).shape();
        boolean touched = false;
        SliceRange[] ranges = SliceRange.of(graph, node, shape);
        long[] starts = graph.constants().get(node.input(1)).toLongs();
        long[] ends = graph.constants().get(node.input(2)).toLongs();
        long[] axes = SliceRange.axes(graph, node, starts.length);
        for (int i = 0; i < starts.length; i++) {
            int axis = (int) (axes[i] < 0 ? axes[i] + shape.rank() : axes[i]);
            int[] units = dependencies.units(node.input(0), axis);
            SliceRange range = ranges[axis];
            if (units == null || range.step() != 1) {
                continue;
            }
            starts[i] = kept(Arrays.copyOf(units, range.start())).length;
            ends[i] = starts[i]
                    + kept(Arrays.copyOfRange(units, range.start(), range.start() + range.count())).length;
            touched = true;
        }
        return touched ? withConstant(withConstant(node, 1, starts), 2, ends) : node;
    }

    private Node resize(Node node) {
        if (!node.hasInput(3) || dependencies.units(node.input(0), 1) == null
                || !graph.constants().containsKey(node.input(3))) {
            return node;
        }
        long[] sizes = graph.constants().get(node.input(3)).toLongs();
        if (sizes.length != infos.get(node.input(0)).shape().rank()) {
            return node;
        }
        sizes[1] = sizes(node.output())[1];
        return withConstant(node, 3, sizes);
    }

    /** The node with another vector of integers as input. */
    private Node withConstant(Node node, int input, long... values) {
        String name = newName(node.output() + ".sizes" + input);
        constants.put(name, Tensor.vector(values));
        List<String> inputs = new ArrayList<>(node.inputs());
        while (inputs.size() <= input) {
            inputs.add("");
        }
        inputs.set(input, name);
        return node.withInputs(inputs);
    }
}
