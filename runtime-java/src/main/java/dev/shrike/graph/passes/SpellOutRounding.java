package dev.shrike.graph.passes;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.NewNames;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.quantization.Quantizers;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Puts the rounding of a Quant that does not round half to even into nodes of its own: {@code x / scale + zero},
 * clamped and rounded as the mode says, and back to floats. What then comes to the Quant lies on its codes, so that it
 * may round half to even and {@link ImportQuantization} can take it. Constants are left alone, as their rounding is
 * done at once.
 */
final class SpellOutRounding implements GraphPass {
    private static final Set<String> MODES =
            Set.of("FLOOR", "CEIL", "UP", "DOWN", "ROUND_TO_ZERO", "HALF_UP", "HALF_DOWN");

    @Override
    public Graph apply(Graph graph) {
        boolean any = graph.nodes().stream().anyMatch(node -> node.op() instanceof Op.Quant quant
                && !Quantizers.isHalfToEven(quant.roundingMode()) && !graph.constants().containsKey(node.input(0)));
        return any ? new Rewrite(graph).apply() : graph;
    }

    private static final class Rewrite {
        private final Graph graph;
        private final NewNames names;
        private final Quantizers quantizers;
        private final Map<String, Tensor> constants;
        private final List<Node> nodes = new ArrayList<>();

        Rewrite(Graph graph) {
            this.graph = graph;
            this.names = new NewNames(graph);
            this.quantizers = new Quantizers(graph.constants(), ShapeInference.infer(graph));
            this.constants = new HashMap<>(graph.constants());
        }

        Graph apply() {
            for (Node node : graph.nodes()) {
                if (!(node.op() instanceof Op.Quant quant) || Quantizers.isHalfToEven(quant.roundingMode())
                        || graph.constants().containsKey(node.input(0)) || !spellOut(node, quant)) {
                    nodes.add(node);
                }
            }
            return nodes.size() == graph.nodes().size() ? graph : graph.withNodes(nodes, constants);
        }

        private boolean spellOut(Node node, Op.Quant quant) {
            Quantization how = quantizers.quant(node, quant).filter(found -> !found.bipolar()).orElse(null);
            if (how == null || !MODES.contains(quant.roundingMode().toUpperCase(Locale.ROOT))) {
                return false;
            }
            String p = node.output() + ".";
            String scaled = binary(p + "scaled", Op.Binary.Kind.DIV, node.input(0), node.input(1));
            String shifted = binary(p + "shifted", Op.Binary.Kind.ADD, scaled, node.input(2));
            String clamped = names.next(p + "clamped");
            nodes.add(new Node(clamped, new Op.Clip(),
                    List.of(shifted, scalar(p + "min", how.minCode()), scalar(p + "max", how.maxCode())),
                    List.of(clamped)));
            String rounded = rounded(p, clamped, quant.roundingMode().toUpperCase(Locale.ROOT));
            String counted = binary(p + "counted", Op.Binary.Kind.SUB, rounded, node.input(2));
            String real = binary(p + "exact", Op.Binary.Kind.MUL, counted, node.input(1));
            List<String> inputs = new ArrayList<>(node.inputs());
            inputs.set(0, real);
            nodes.add(node.withOp(new Op.Quant(quant.signed(), quant.narrow(), "ROUND")).withInputs(inputs));
            return true;
        }

        /** The rounded value. Halves are told by taking 0.5 away, which floats do exactly; adding it they do not. */
        private String rounded(String p, String x, String mode) {
            return switch (mode) {
                case "FLOOR" -> unary(p + "floor", Op.Unary.Kind.FLOOR, x);
                case "CEIL" -> unary(p + "ceil", Op.Unary.Kind.CEIL, x);
                case "UP" -> signed(p, x, unary(p + "up", Op.Unary.Kind.CEIL, absolute(p, x)));
                case "DOWN", "ROUND_TO_ZERO" ->
                    signed(p, x, unary(p + "down", Op.Unary.Kind.FLOOR, absolute(p, x)));
                case "HALF_UP" -> signed(p, x, binary(p + "up", Op.Binary.Kind.ADD,
                        unary(p + "half", Op.Unary.Kind.FLOOR, lessHalf(p, x)), scalar(p + "one", 1)));
                case "HALF_DOWN" -> signed(p, x, unary(p + "half", Op.Unary.Kind.CEIL, lessHalf(p, x)));
                default -> throw new IllegalArgumentException(mode);
            };
        }

        private String absolute(String p, String x) {
            return unary(p + "absolute", Op.Unary.Kind.ABS, x);
        }

        private String lessHalf(String p, String x) {
            return binary(p + "less", Op.Binary.Kind.SUB, absolute(p, x), scalar(p + "0.5", 0.5f));
        }

        private String signed(String p, String x, String size) {
            return binary(p + "rounded", Op.Binary.Kind.MUL, unary(p + "sign", Op.Unary.Kind.SIGN, x), size);
        }

        private String unary(String wish, Op.Unary.Kind kind, String x) {
            String name = names.next(wish);
            nodes.add(new Node(name, Op.Unary.of(kind), List.of(x), List.of(name)));
            return name;
        }

        private String binary(String wish, Op.Binary.Kind kind, String x, String y) {
            String name = names.next(wish);
            nodes.add(new Node(name, new Op.Binary(kind), List.of(x, y), List.of(name)));
            return name;
        }

        private String scalar(String wish, float value) {
            String name = names.next(wish);
            constants.put(name, Tensor.scalar(value));
            return name;
        }
    }
}
