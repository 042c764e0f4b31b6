package dev.shrike.training.torch;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.passes.UnfuseConvolutions;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** The network that a float graph describes, node by node. */
final class GraphNetwork implements TorchNetwork {
    private final Graph graph;
    private final TensorOperations operations;
    private final BatchNormalizations normalizations;
    private final Map<String, Tensor> parameters = new LinkedHashMap<>();
    private final Map<String, Tensor> buffers = new LinkedHashMap<>();
    private final Map<String, Tensor> constants = new HashMap<>();
    private final Set<String> added = new HashSet<>();
    private final Set<String> weights = new LinkedHashSet<>();
    private final Set<String> biases = new LinkedHashSet<>();
    private final Set<String> gammas = new LinkedHashSet<>();
    private final Map<String, Integer> lastReader = new HashMap<>();
    private final Map<String, UnaryOperator<Tensor>> parameterHooks = new HashMap<>();
    private final Map<String, UnaryOperator<Tensor>> valueHooks = new HashMap<>();
    private final Map<String, Tensor> kept = new HashMap<>();
    private final Device device;
    /** By a product {@code x sigmoid(x)} its sigmoid, where nothing else reads this. */
    private final Map<String, Node> silus;
    private final Set<String> sigmoids = new HashSet<>();
    private Set<String> keep = Set.of();
    private boolean training;
    private boolean frozenStatistics;

    /**
     * A network in evaluation mode.
     *
     * @param graph float, of known shapes, with one input
     * @param device where its tensors live
     * @throws UnsupportedModelException if it is quantised or an operation cannot be trained; names the node
     */
    GraphNetwork(Graph graph, Device device) {
        if (graph.isQuantized()) {
            throw new UnsupportedModelException("graph '" + graph.name() + "' is quantised already: train the float"
                    + " network, and give the widths with --scheme");
        }
        this.graph = new UnfuseConvolutions().apply(graph);
        this.device = device;
        this.silus = silus(this.graph);
        silus.values().forEach(sigmoid -> sigmoids.add(sigmoid.output()));
        this.operations = new TensorOperations(this.graph);
        this.normalizations = new BatchNormalizations(this.graph);
        try (PointerScope _ = new PointerScope()) {
            for (Node node : this.graph.nodes()) {
                operations.check(node);
                take(node);
            }
        }
        for (int i = 0; i < this.graph.nodes().size(); i++) {
            for (String name : this.graph.nodes().get(i).inputs()) {
                lastReader.put(name, i);
            }
        }
    }

    private void take(Node node) {
        switch (node.op()) {
            case Op.Conv _,Op.MatMul _,Op.Gemm _ -> {
                if (parameter(node.input(1))) {
                    weights.add(node.input(1));
                }
                if (parameter(node.input(0))) {
                    weights.add(node.input(0));
                }
                bias(node.input(2));
            }
            case Op.BatchNormalization _ -> {
                if (parameter(node.input(1))) {
                    gammas.add(node.input(1));
                }
                bias(node.input(2));
                for (int i = 3; i < 5; i++) {
                    buffers.computeIfAbsent(node.input(i), name -> own(graph.constants().get(name)));
                }
            }
            case Op.Binary binary when binary.kind() == Op.Binary.Kind.PRELU -> parameter(node.input(1));
            default -> {
                // Nothing of it is learnt.
            }
        }
    }

    private void bias(String name) {
        if (parameter(name)) {
            biases.add(name);
        }
    }

    private boolean parameter(String name) {
        dev.shrike.graph.Tensor constant = graph.constants().get(name);
        if (name.isEmpty() || constant == null || constant.type() != DataType.FLOAT32) {
            return false;
        }
        parameters.computeIfAbsent(name, _ -> learnt(own(constant)));
        return true;
    }

    private Tensor own(dev.shrike.graph.Tensor constant) {
        return keepAlive(TensorMath.on(device, Tensors.of(constant)));
    }

    private static Tensor keepAlive(Tensor tensor) {
        tensor.retainReference();
        return tensor;
    }

    private static Tensor learnt(Tensor tensor) {
        tensor.set_requires_grad(true);
        return tensor;
    }

    @Override
    public Map<String, Tensor> parameters() {
        return Collections.unmodifiableMap(parameters);
    }

    @Override
    public Map<String, Tensor> buffers() {
        return Collections.unmodifiableMap(buffers);
    }

    @Override
    public List<String> weights() {
        return List.copyOf(weights);
    }

    @Override
    public List<String> biases() {
        return List.copyOf(biases);
    }

    @Override
    public List<String> gammas() {
        return List.copyOf(gammas);
    }

    @Override
    public Tensor addParameter(String name, Tensor initial) {
        if (parameters.containsKey(name) || buffers.containsKey(name)) {
            throw new IllegalArgumentException("there is a parameter '" + name + "' already");
        }
        try (PointerScope _ = new PointerScope()) {
            Tensor copy = initial.detach().clone();
            Tensor own = learnt(keepAlive(TensorMath.on(device, copy)));
            parameters.put(name, own);
            added.add(name);
            return own;
        }
    }

    @Override
    public List<Tensor> forward(Tensor images) {
        clearKept();
        Map<String, Tensor> values = new HashMap<>();
        put(values, graph.inputs().getFirst().name(), TensorMath.on(device, images));
        Set<String> outputs = new HashSet<>();
        graph.outputs().forEach(output -> outputs.add(output.name()));
        Set<Node> folded = new HashSet<>();
        for (int i = 0; i < graph.nodes().size(); i++) {
            Node node = graph.nodes().get(i);
            if (!folded.contains(node) && !isWithinSilu(node)) {
                // What a node computes on its way is memory that would stay until the end of the step.
                try (PointerScope _ = new PointerScope()) {
                    run(node, values, folded, images.size(0));
                }
            }
            for (String name : node.inputs()) {
                if (lastReader.get(name) == i && !outputs.contains(name) && values.containsKey(name)) {
                    values.remove(name).releaseReference();
                }
            }
        }
        List<Tensor> results = graph.outputs().stream().map(output -> values.get(output.name())).toList();
        PointerScope around = PointerScope.getInnerScope();
        if (around == null) {
            throw new IllegalStateException("a network runs within a PointerScope, which ends what it gives");
        }
        results.forEach(around::attach);
        values.values().forEach(Tensor::releaseReference);
        return results;
    }

    private static Map<String, Node> silus(Graph graph) {
        Map<String, Node> sigmoids = new HashMap<>();
        Map<String, Integer> readers = new HashMap<>();
        for (Node node : graph.nodes()) {
            node.inputs().forEach(name -> readers.merge(name, 1, Integer::sum));
            if (node.op() instanceof Op.Unary unary && unary.kind() == Op.Unary.Kind.SIGMOID) {
                sigmoids.put(node.output(), node);
            }
        }
        graph.outputs().forEach(output -> sigmoids.remove(output.name()));
        Map<String, Node> silus = new HashMap<>();
        for (Node node : graph.nodes()) {
            if (!(node.op() instanceof Op.Binary binary) || binary.kind() != Op.Binary.Kind.MUL) {
                continue;
            }
            for (int side = 0; side < 2; side++) {
                Node sigmoid = sigmoids.get(node.input(side));
                if (sigmoid != null && readers.get(sigmoid.output()) == 1
                        && sigmoid.input(0).equals(node.input(1 - side))) {
                    silus.put(node.output(), sigmoid);
                }
            }
        }
        return silus;
    }

    /**
     * Whether the node is a sigmoid that is computed with its product: PyTorch then keeps one value for the way back
     * where it would keep two.
     */
    private boolean isWithinSilu(Node node) {
        String name = node.outputs().getFirst();
        return sigmoids.contains(name) && !valueHooks.containsKey(name) && !keep.contains(name);
    }

    private void run(Node node, Map<String, Tensor> values, Set<Node> folded, long batch) {
        Node norm = normalizations.isFolding() ? normalizations.after(node) : null;
        if (norm != null) {
            folded.add(norm);
            put(values, norm.output(), normalizations.folded(node, norm, name -> read(name, values), this::hooked));
            return;
        }
        Node sigmoid = silus.get(node.outputs().getFirst());
        if (sigmoid != null && isWithinSilu(sigmoid)) {
            put(values, node.output(), torch.silu(read(sigmoid.input(0), values)));
            return;
        }
        List<Tensor> results = node.op() instanceof Op.BatchNormalization op
                ? List.of(normalizations.apply(op, node, name -> read(name, values),
                        training && !frozenStatistics))
                : operations.apply(node, name -> read(name, values), batch);
        for (int i = 0; i < results.size(); i++) {
            put(values, node.outputs().get(i), results.get(i));
        }
    }

    private void put(Map<String, Tensor> values, String name, Tensor value) {
        if (name.isEmpty()) {
            return;
        }
        UnaryOperator<Tensor> hook = valueHooks.get(name);
        // A handle of its own: some operations give tensors that lie within a vector, and go with it.
        Tensor seen = new Tensor(hook == null ? value : hook.apply(value));
        values.put(name, keepAlive(seen));
        if (keep.contains(name)) {
            kept.put(name, keepAlive(seen));
        }
    }

    private Tensor hooked(String name, Tensor parameter) {
        UnaryOperator<Tensor> hook = parameterHooks.get(name);
        return hook == null ? parameter : hook.apply(parameter);
    }

    private Tensor read(String name, Map<String, Tensor> values) {
        Tensor value = values.get(name);
        if (value != null) {
            return value;
        }
        Tensor parameter = parameters.get(name);
        if (parameter != null) {
            return normalizations.isFolding() && normalizations.isFolded(name) ? parameter : hooked(name, parameter);
        }
        Tensor buffer = buffers.get(name);
        return buffer != null ? buffer : constants.computeIfAbsent(name, key -> own(graph.constants().get(key)));
    }

    @Override
    public Tensor value(String name) {
        Tensor value = kept.get(name);
        if (value == null) {
            throw new IllegalStateException("no value '" + name + "' was kept by the last run");
        }
        return value;
    }

    @Override
    public Set<String> keep(Collection<String> names) {
        Set<String> before = keep;
        keep = Set.copyOf(names);
        return before;
    }

    private void clearKept() {
        kept.values().forEach(Tensor::releaseReference);
        kept.clear();
    }

    @Override
    public void train(boolean on) {
        training = on;
    }

    @Override
    public void freezeStatistics(boolean on) {
        frozenStatistics = on;
    }

    @Override
    public boolean isTraining() {
        return training;
    }

    @Override
    public void hookParameter(String name, UnaryOperator<Tensor> hook) {
        if (!parameters.containsKey(name)) {
            throw new IllegalArgumentException("no parameter '" + name + "'");
        }
        set(parameterHooks, name, hook);
    }

    @Override
    public void hookValue(String name, UnaryOperator<Tensor> hook) {
        boolean known = graph.inputs().getFirst().name().equals(name)
                || graph.nodes().stream().anyMatch(node -> node.outputs().contains(name));
        if (!known) {
            throw new IllegalArgumentException("no value '" + name + "'");
        }
        set(valueHooks, name, hook);
    }

    private static void set(Map<String, UnaryOperator<Tensor>> hooks, String name, UnaryOperator<Tensor> hook) {
        if (hook == null) {
            hooks.remove(name);
        } else {
            hooks.put(name, hook);
        }
    }

    @Override
    public void foldBatchNormalization(boolean on) {
        normalizations.fold(on);
    }

    @Override
    public Graph toGraph() {
        Map<String, dev.shrike.graph.Tensor> now = new HashMap<>(graph.constants());
        Map<String, Tensor> learnt = new LinkedHashMap<>(parameters);
        learnt.keySet().removeAll(added);
        learnt.putAll(buffers);
        learnt.forEach((name, tensor) -> {
            Shape shape = graph.constants().get(name).shape();
            now.put(name, Tensors.toConstant(tensor, shape));
        });
        return graph.withNodes(graph.nodes(), now);
    }

    /** Names of the values that nodes give, in order. */
    List<String> valueNames() {
        List<String> names = new ArrayList<>();
        graph.nodes().forEach(node -> names.addAll(node.outputs()));
        return names;
    }

    /** The graph whose nodes are run. */
    Graph graph() {
        return graph;
    }

    ValueInfo input() {
        return graph.inputs().getFirst();
    }

    @Override
    public void close() {
        clearKept();
        for (Map<String, Tensor> owned : List.of(parameters, buffers, constants)) {
            owned.values().forEach(Tensor::releaseReference);
            owned.clear();
        }
    }
}
