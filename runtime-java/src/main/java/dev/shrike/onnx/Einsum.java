package dev.shrike.onnx;

import dev.shrike.graph.Op;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Einsum as transposes, matrix products and sums: operands join one after another; labels of both that nothing else
 * wants are what the product sums over.
 */
final class Einsum {
    /** What an ellipsis stands for, by the place of the dimension from the end. */
    private static final char ELLIPSIS = '\uE000';

    /** A value and the label of each of its dimensions. */
    private record Operand(String value, String labels) {}

    private final NodeDraft draft;
    private final Expansion nodes;

    Einsum(NodeDraft draft) {
        this.draft = draft;
        this.nodes = new Expansion(draft);
    }

    Op read() {
        int count = draft.inputs().size();
        draft.expect(Math.max(1, count), Integer.MAX_VALUE);
        String equation = draft.attributes().string("equation", "").replace(" ", "");
        int arrow = equation.indexOf("->");
        String[] terms = (arrow < 0 ? equation : equation.substring(0, arrow)).split(",", -1);
        if (terms.length != count) {
            throw draft.broken("the equation '" + equation + "' has " + terms.length + " operands, the node " + count);
        }
        List<Operand> operands = new ArrayList<>();
        int longest = 0;
        for (int i = 0; i < count; i++) {
            operands.add(operand(terms[i], draft.input(i)));
            longest = Math.max(longest, (int) operands.get(i).labels().chars().filter(c -> c >= ELLIPSIS).count());
        }
        String result = arrow < 0 ? implied(operands, longest)
                : spelledOut(equation.substring(arrow + 2), longest, equation);
        checkResult(result, operands, equation);
        Operand joined = operands.getFirst();
        for (int i = 1; i < count; i++) {
            StringBuilder later = new StringBuilder(result);
            operands.subList(i + 1, count).forEach(operand -> later.append(operand.labels()));
            joined = join(joined, operands.get(i), later.toString());
        }
        return inOrder(summed(joined, label -> result.indexOf(label) >= 0), result);
    }

    // --- the equation ----------------------------------------------------------------------------------------------

    private Operand operand(String term, String value) {
        int rank = nodes.rank(value);
        int named = term.replace("...", "").length();
        String labels = spelledOut(term, rank - named, term);
        if (labels.length() != rank) {
            throw draft.broken("'" + term + "' names " + labels.length() + " dimensions of '" + value + "', which has "
                    + rank);
        }
        for (int i = 0; i < rank; i++) {
            if (labels.indexOf(labels.charAt(i)) != i) {
                throw draft.unsupported("'" + term + "' names a diagonal, which Shrike does not take; export the"
                        + " network with that written otherwise");
            }
        }
        return new Operand(value, labels);
    }

    private String spelledOut(String term, int ellipsis, String equation) {
        int at = term.indexOf("...");
        StringBuilder dots = new StringBuilder();
        for (int i = ellipsis - 1; i >= 0 && at >= 0; i--) {
            dots.append((char) (ELLIPSIS + i));
        }
        String labels = at < 0 ? term : term.substring(0, at) + dots + term.substring(at + 3);
        if (!labels.chars()
                .allMatch(c -> Character.isLetter(c) || c >= ELLIPSIS && c < ELLIPSIS + Math.max(0, ellipsis))) {
            throw draft.broken("the equation '" + equation + "' holds something other than letters and one ellipsis");
        }
        return labels;
    }

    /** Without an arrow: the ellipsis, then the labels that come once, in the order of the alphabet. */
    private static String implied(List<Operand> operands, int ellipsis) {
        Map<Integer, Integer> times = new HashMap<>();
        operands.forEach(operand -> operand.labels().chars().forEach(c -> times.merge(c, 1, Integer::sum)));
        StringBuilder result = new StringBuilder();
        for (int i = ellipsis - 1; i >= 0; i--) {
            result.append((char) (ELLIPSIS + i));
        }
        times.keySet().stream().filter(c -> c < ELLIPSIS && times.get(c) == 1).sorted()
                .forEach(c -> result.append((char) (int) c));
        return result.toString();
    }

    private void checkResult(String result, List<Operand> operands, String equation) {
        for (int i = 0; i < result.length(); i++) {
            char label = result.charAt(i);
            if (result.indexOf(label) != i || operands.stream().noneMatch(o -> o.labels().indexOf(label) >= 0)) {
                throw draft.broken("the result of '" + equation + "' names a dimension twice or one of no operand");
            }
        }
    }

    // --- two operands ----------------------------------------------------------------------------------------------

    private Operand join(Operand first, Operand second, String later) {
        Operand left = summed(first, label -> second.labels().indexOf(label) >= 0 || later.indexOf(label) >= 0);
        Operand right = summed(second, label -> first.labels().indexOf(label) >= 0 || later.indexOf(label) >= 0);
        if (draft.scope().constant(left.value()).isPresent() && draft.scope().constant(right.value()).isEmpty()) {
            Operand swapped = left;
            left = right;
            right = swapped;
        }
        String a = left.labels();
        String b = right.labels();
        String batch = picked(a, label -> b.indexOf(label) >= 0 && later.indexOf(label) >= 0);
        String inner = picked(a, label -> b.indexOf(label) >= 0 && later.indexOf(label) < 0);
        String rows = picked(a, label -> b.indexOf(label) < 0);
        String columns = picked(b, label -> a.indexOf(label) < 0);
        String result = batch + rows + columns;
        String x = transposed(left, batch + rows + inner);
        if (inner.isEmpty()) {
            String y = transposed(right, batch + columns);
            return new Operand(nodes.binary("product", Op.Binary.Kind.MUL,
                    unsqueezed(x, batch.length() + rows.length(), columns.length()),
                    unsqueezed(y, batch.length(), rows.length())), result);
        }
        String y = transposed(right, batch + inner + columns);
        boolean plain = inner.length() == 1 && columns.length() == 1
                && (batch.isEmpty() ? !rows.isEmpty() : rows.length() == 1);
        return new Operand(plain ? nodes.node("product", new Op.MatMul(), x, y)
                : flattened(x, y, batch.length(), rows.length(), inner.length()), result);
    }

    private static String picked(String labels, Predicate<Character> wanted) {
        StringBuilder kept = new StringBuilder();
        for (char label : labels.toCharArray()) {
            if (wanted.test(label)) {
                kept.append(label);
            }
        }
        return kept.toString();
    }

    /** The product of matrices whose rows, inner sizes or columns are several dimensions or none. */
    private String flattened(String x, String y, int batch, int rows, int inner) {
        String batches = nodes.sizes("batches", x, 0, batch);
        String any = nodes.vector("any", -1);
        String a = nodes.node("left", new Op.Reshape(true), x,
                joined(batches, product(x, batch, batch + rows), any));
        String b = nodes.node("right", new Op.Reshape(true), y,
                joined(batches, product(y, batch, batch + inner), any));
        String matrices = nodes.node("matrices", new Op.MatMul(), a, b);
        return nodes.node("product", new Op.Reshape(true), matrices,
                joined(nodes.sizes("rows", x, 0, batch + rows),
                        nodes.sizes("columns", y, batch + inner, Integer.MAX_VALUE)));
    }

    private String product(String value, int from, int to) {
        return from == to ? nodes.vector("one", 1)
                : nodes.node("size", new Op.Reduce(Op.Reduce.Kind.PROD, true), nodes.sizes("sizes", value, from, to));
    }

    private String joined(String... sizes) {
        return nodes.node("shape", new Op.Concat(0), sizes);
    }

    private String transposed(Operand operand, String labels) {
        List<Integer> permutation =
                IntStream.range(0, labels.length()).map(i -> operand.labels().indexOf(labels.charAt(i))).boxed()
                        .toList();
        return nodes.transpose("turned", operand.value(), permutation);
    }

    private String unsqueezed(String value, int at, int count) {
        return count == 0 ? value
                : nodes.node("spread", new Op.Unsqueeze(), value,
                        nodes.vector("spread_axes", LongStream.range(at, at + count).toArray()));
    }

    /** The operand without the labels that nobody wants. */
    private Operand summed(Operand operand, Predicate<Character> wanted) {
        String kept = picked(operand.labels(), wanted);
        if (kept.length() == operand.labels().length()) {
            return operand;
        }
        long[] axes = IntStream.range(0, operand.labels().length())
                .filter(i -> !wanted.test(operand.labels().charAt(i))).asLongStream().toArray();
        return new Operand(nodes.node("sum", new Op.Reduce(Op.Reduce.Kind.SUM, false), operand.value(),
                nodes.vector("sum_axes", axes)), kept);
    }

    private Op inOrder(Operand operand, String result) {
        List<Integer> permutation =
                IntStream.range(0, result.length()).map(i -> operand.labels().indexOf(result.charAt(i))).boxed()
                        .toList();
        return result.isEmpty() ? nodes.last(new Op.Identity(), operand.value())
                : nodes.last(new Op.Transpose(permutation), operand.value());
    }
}
