package dev.shrike.calibration.prune;

import dev.shrike.ModelException;
import dev.shrike.calibration.training.ChannelSensitivity;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Residual branches, the layers beside a shortcut: {@code y = x + f(x)}. A branch can go as a whole, since what is left
 * has the same shape. Found by what nodes read, whatever they are called.
 */
public final class ResidualBranches {
    private ResidualBranches() {}

    /**
     * A branch.
     *
     * @param sum the addition
     * @param shortcut the value that the branch begins with and is added to
     * @param nodes of the branch, in the order of the graph
     */
    public record Branch(Node sum, String shortcut, List<Node> nodes) {
        public Branch {
            nodes = List.copyOf(nodes);
        }

        /** The last of its nodes with weights. */
        Node last() {
            return nodes.stream().filter(node -> node.op() instanceof Op.Conv || node.op() instanceof Op.Gemm
                    || node.op() instanceof Op.MatMul).reduce((_, later) -> later).orElse(sum);
        }
    }

    /** The branches of a graph, in its order. */
    public static List<Branch> of(Graph graph) {
        Map<String, Node> writers = new HashMap<>();
        Map<String, List<Node>> readers = new HashMap<>();
        for (Node node : graph.nodes()) {
            node.outputs().forEach(output -> writers.put(output, node));
            node.inputs().forEach(input -> readers.computeIfAbsent(input, _ -> new ArrayList<>()).add(node));
        }
        Map<String, ValueInfo> infos = ShapeInference.infer(graph);
        Set<String> outputs = new HashSet<>();
        graph.outputs().forEach(output -> outputs.add(output.name()));
        List<Branch> branches = new ArrayList<>();
        for (Node node : graph.nodes()) {
            if (!(node.op() instanceof Op.Binary binary) || binary.kind() != Op.Binary.Kind.ADD) {
                continue;
            }
            for (int side = 0; side < 2; side++) {
                String shortcut = node.input(side);
                Set<Node> inner = branch(graph, writers, shortcut, node.input(1 - side));
                boolean sameShape = infos.containsKey(shortcut)
                        && infos.get(shortcut).shape().equals(infos.get(node.output()).shape());
                if (inner != null && sameShape && isClosed(inner, node, readers, outputs)) {
                    branches.add(new Branch(node, shortcut,
                            graph.nodes().stream().filter(inner::contains).toList()));
                    break;
                }
            }
        }
        return branches;
    }

    /** What lies between the shortcut and the end of the branch, or null if the branch needs other values. */
    private static Set<Node> branch(Graph graph, Map<String, Node> writers, String shortcut, String end) {
        Set<Node> inner = new LinkedHashSet<>();
        List<String> open = new ArrayList<>(List.of(end));
        while (!open.isEmpty()) {
            String value = open.removeLast();
            if (value.isEmpty() || value.equals(shortcut) || graph.constants().containsKey(value)) {
                continue;
            }
            Node writer = writers.get(value);
            if (writer == null) {
                return null;
            }
            if (inner.add(writer)) {
                open.addAll(writer.inputs());
            }
        }
        return inner.isEmpty() ? null : inner;
    }

    /** Whether nobody but the branch and its addition reads what the branch makes. */
    private static boolean isClosed(Set<Node> inner, Node sum, Map<String, List<Node>> readers, Set<String> outputs) {
        return inner.stream().flatMap(node -> node.outputs().stream())
                .allMatch(output -> !outputs.contains(output) && readers.getOrDefault(output, List.of()).stream()
                        .allMatch(reader -> reader.equals(sum) || inner.contains(reader)));
    }

    /** The graph without these branches: the shortcuts alone are left. */
    public static Graph remove(Graph graph, List<Branch> branches) {
        Set<Node> gone = new HashSet<>();
        Map<Node, Branch> sums = new HashMap<>();
        branches.forEach(branch -> {
            gone.addAll(branch.nodes());
            sums.put(branch.sum(), branch);
        });
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            if (sums.containsKey(node)) {
                nodes.add(new Node(node.name(), new Op.Identity(), List.of(sums.get(node).shortcut()),
                        node.outputs()));
            } else if (!gone.contains(node)) {
                nodes.add(node);
            }
        }
        Set<String> read = new HashSet<>();
        nodes.forEach(node -> read.addAll(node.inputs()));
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        constants.keySet().retainAll(read);
        return new dev.shrike.graph.passes.RemoveIdentities().apply(graph.withNodes(nodes, constants));
    }

    /**
     * The branches that are worth least, as many as it takes.
     *
     * @param share of the branches that go
     * @param measured channels on images, or null: then the norms of the last filters decide
     * @throws ModelException if there is no branch
     */
    public static List<Branch> cheapest(Graph graph, double share, ChannelSensitivity measured) {
        List<Branch> all = of(graph);
        if (all.isEmpty()) {
            throw new ModelException("has no residual branch, a value that layers of its own are added to; remove"
                    + " channels instead, --granularity channel");
        }
        int count = (int) Math.round(share * all.size());
        return all.stream().sorted(Comparator.comparingDouble(branch -> worth(graph, branch, measured))).limit(count)
                .toList();
    }

    /** The Fisher change of the loss if the branch becomes its mean. */
    private static double worth(Graph graph, Branch branch, ChannelSensitivity measured) {
        String last = branch.last().name();
        if (measured != null && measured.layers().containsKey(last)) {
            double sum = 0;
            double[][] effects = measured.layers().get(last).effects();
            for (double[] probe : effects) {
                double effect = java.util.Arrays.stream(probe).sum();
                sum += effect * effect / 2 / effects.length;
            }
            return sum;
        }
        Tensor weights = graph.constants().get(branch.last().input(1));
        double sum = 0;
        for (int i = 0; weights != null && i < weights.elements(); i++) {
            sum += weights.doubleAt(i) * weights.doubleAt(i);
        }
        return Math.sqrt(sum);
    }
}
