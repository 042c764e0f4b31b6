package dev.shrike.testing;

import dev.shrike.ModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which values of a float graph are to be quantised, which of them alike, and how wide. */
final class MinMaxPlacement {
    private final Graph graph;
    private final Map<String, ValueInfo> infos;
    private final MinMaxQuantizer.Options options;
    private final Map<String, MinMaxQuantizer.Bits> products = new HashMap<>();
    private final Set<String> last = new HashSet<>();
    private final Set<String> quantized = new LinkedHashSet<>();
    /** The representative of the values that must share one scale. */
    private final Map<String, String> shared = new HashMap<>();
    private final Set<String> sources = new LinkedHashSet<>();

    MinMaxPlacement(Graph graph, MinMaxQuantizer.Options options) {
        this.graph = graph;
        this.infos = ShapeInference.infer(graph);
        this.options = options;
        chooseProducts();
        chooseValues();
        shareScales();
    }

    /** Widths of a node that is to become an integer product, or null. */
    MinMaxQuantizer.Bits bits(Node node) {
        return products.get(node.name());
    }

    /** The values whose ranges decide all scales. */
    Set<String> sources() {
        return Set.copyOf(sources);
    }

    private void chooseProducts() {
        Set<String> decoded = behindSoftmax();
        Set<String> followed = new HashSet<>();
        for (Node node : graph.nodes().reversed()) {
            boolean product = isProduct(node) && !decoded.contains(node.output());
            boolean precedes = node.outputs().stream().anyMatch(followed::contains);
            if (product && !precedes) {
                last.add(node.name());
            }
            if (product || precedes) {
                followed.addAll(node.inputs());
            }
        }
        Set<String> beginning = new HashSet<>();
        graph.inputs().forEach(input -> beginning.add(input.name()));
        for (Node node : graph.nodes()) {
            boolean first = beginning.contains(node.input(0));
            if (isProduct(node) && !decoded.contains(node.output())) {
                MinMaxQuantizer.Bits bits = wanted(node, first || last.contains(node.name()));
                if (bits != null) {
                    products.put(node.name(), bits);
                }
            } else if (first && node.op().movesData()) {
                beginning.addAll(node.outputs());
            }
        }
        for (String name : options.overrides().keySet()) {
            if (!products.containsKey(name)) {
                throw new ModelException("there is no product '" + name + "' with constant weights to quantise in '"
                        + graph.name() + "'");
            }
        }
    }

    private MinMaxQuantizer.Bits wanted(Node node, boolean firstOrLast) {
        MinMaxQuantizer.Bits own = options.overrides().get(node.name());
        if (own != null || !firstOrLast) {
            return own != null ? own : options.bits();
        }
        return options.firstAndLast() == MinMaxQuantizer.FirstAndLast.EIGHT ? new MinMaxQuantizer.Bits(8, 8) : null;
    }

    /** Values computed from a Softmax: there a head is being decoded, and what looks like weights are not. */
    private Set<String> behindSoftmax() {
        Set<String> found = new HashSet<>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Softmax || node.inputs().stream().anyMatch(found::contains)) {
                found.addAll(node.outputs());
            }
        }
        return found;
    }

    private boolean isProduct(Node node) {
        Tensor weights = graph.constants().get(node.input(1));
        boolean constant = weights != null && weights.type() == DataType.FLOAT32
                && !graph.constants().containsKey(node.input(0));
        return constant && switch (node.op()) {
            case Op.Conv _ -> true;
            case Op.MatMul _ -> weights.shape().rank() == 2;
            case Op.Gemm gemm -> !gemm.transA();
            default -> false;
        };
    }

    private void chooseValues() {
        Set<String> read = new HashSet<>();
        graph.nodes().stream().filter(node -> bits(node) != null).forEach(node -> read.add(node.input(0)));
        // A value that is only moved on to a product is quantised where it comes from.
        for (Node node : graph.nodes().reversed()) {
            if ((node.op().movesData() || node.op() instanceof Op.Concat)
                    && node.outputs().stream().anyMatch(read::contains)) {
                movedFrom(node).forEach(read::add);
            }
        }
        graph.inputs().stream().map(ValueInfo::name).filter(read::contains).forEach(quantized::add);
        for (Node node : graph.nodes()) {
            boolean codes = bits(node) != null && !last.contains(node.name()) || followsCodes(node);
            for (String name : node.outputs()) {
                if ((codes || read.contains(name)) && infos.containsKey(name)
                        && infos.get(name).type() == DataType.FLOAT32) {
                    quantized.add(name);
                }
            }
        }
    }

    private List<String> movedFrom(Node node) {
        return node.op() instanceof Op.Concat
                ? node.inputs().stream().filter(name -> !graph.constants().containsKey(name)).toList()
                : List.of(node.input(0));
    }

    /** Whether the node makes codes of codes: all that it reads is quantised. */
    private boolean followsCodes(Node node) {
        return switch (node.op()) {
            case Op.Unary _,Op.Clip _ -> quantized.contains(node.input(0));
            case Op.Binary binary -> binary.kind() == Op.Binary.Kind.ADD && quantized.containsAll(node.inputs());
            case Op.Concat _ -> quantized.containsAll(node.inputs());
            default -> node.op().movesData() && quantized.contains(node.input(0));
        };
    }

    private void shareScales() {
        Set<String> derived = new HashSet<>();
        for (Node node : graph.nodes()) {
            boolean moves = node.op().movesData() || node.op() instanceof Op.Concat;
            List<String> from = moves ? movedFrom(node) : List.of();
            for (String output : node.outputs()) {
                if (!moves || !quantized.contains(output) || !quantized.containsAll(from)) {
                    continue;
                }
                from.forEach(name -> unite(name, output));
                if (node.inputs().stream().limit(1).noneMatch(graph.constants()::containsKey)) {
                    derived.add(output);
                }
            }
        }
        quantized.stream().filter(name -> !derived.contains(name)).forEach(sources::add);
    }

    private String representative(String name) {
        String at = name;
        while (shared.containsKey(at)) {
            at = shared.get(at);
        }
        return at;
    }

    private void unite(String a, String b) {
        String first = representative(a);
        String second = representative(b);
        if (!first.equals(second)) {
            shared.put(second, first);
        }
    }

    /** How every quantised value is quantised. */
    Map<String, Quantization> quantization(Map<String, float[]> ranges) {
        Map<String, List<String>> groups = new LinkedHashMap<>();
        quantized.forEach(name -> groups.computeIfAbsent(representative(name), _ -> new ArrayList<>()).add(name));
        Map<String, Quantization> found = new HashMap<>();
        for (List<String> group : groups.values()) {
            int bits = width(Set.copyOf(group));
            float[] range = null;
            for (String name : group) {
                if (sources.contains(name)) {
                    range = union(range, name, ranges.get(name));
                }
            }
            Quantization how = MinMaxQuantizer.asymmetric(group.getFirst(), range, bits);
            group.forEach(name -> found.put(name, how));
        }
        return found;
    }

    private static float[] union(float[] range, String name, float[] more) {
        // Complains of what is missing or no range.
        MinMaxQuantizer.asymmetric(name, more, 8);
        return range == null ? more
                : new float[] {Math.min(range[0], more[0]), Math.max(range[1], more[1])};
    }

    /** The widest wish of the products that read one of these values; 8 if none does. */
    private int width(Set<String> group) {
        return graph.nodes().stream().filter(node -> bits(node) != null && group.contains(node.input(0)))
                .mapToInt(node -> bits(node).activations()).max().orElse(8);
    }
}
