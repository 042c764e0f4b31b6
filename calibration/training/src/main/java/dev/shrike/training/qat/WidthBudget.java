package dev.shrike.training.qat;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Node;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Widths of weights and values that are learned, and what all of them together may cost. Those that were given 8 bits,
 * such as those of the first and last layers, keep them.
 */
public final class WidthBudget {
    /** The least width of a code, in bits. */
    public static final int LEAST = 2;
    /** The largest width. */
    public static final int MOST = 8;

    private static final int NONE = -1;
    private static final int BISECTIONS = 60;
    private static final double TOLERANCE = 1e-9;

    private final List<Item> items;
    private final List<Limit> limits;

    /**
     * A width that is learned.
     *
     * @param name of the weights, or of the step of the values
     * @param given bits that it begins with
     */
    public record Item(String name, int given) {}

    /** A part of a cost: a factor times one width, or two. */
    private record Term(double factor, int first, int second) {
        double cost(double[] widths) {
            return factor * (first == NONE ? 1 : widths[first]) * (second == NONE ? 1 : widths[second]);
        }
    }

    /** A sum of terms, and the most that it may be. */
    private record Limit(List<Term> terms, double most) {
        double cost(double[] widths) {
            return terms.stream().mapToDouble(term -> term.cost(widths)).sum();
        }

        /** The slopes of the cost in each width; 0 in those that it does not depend on. */
        double[] slopes(double[] widths) {
            double[] slopes = new double[widths.length];
            for (Term term : terms) {
                if (term.first != NONE) {
                    slopes[term.first] += term.factor * (term.second == NONE ? 1 : widths[term.second]);
                }
                if (term.second != NONE) {
                    slopes[term.second] += term.factor * (term.first == NONE ? 1 : widths[term.first]);
                }
            }
            return slopes;
        }
    }

    private WidthBudget(List<Item> items, List<Limit> limits) {
        this.items = List.copyOf(items);
        this.limits = List.copyOf(limits);
    }

    /**
     * So many bits a weight on the average, and as many a value.
     *
     * @throws UnsupportedModelException if no width is learned
     */
    public static WidthBudget ofAverage(QuantizedTwin twin, double bits) {
        List<Item> items = items(twin);
        Map<String, Double> sizes = sizes(twin);
        List<Limit> limits = new ArrayList<>();
        int layers = (int) twin.layers().stream().filter(layer -> isLearned(layer.how())).count();
        for (int[] range : new int[][] {{0, layers}, {layers, items.size()}}) {
            double all = items.subList(range[0], range[1]).stream().mapToDouble(item -> sizes.get(item.name())).sum();
            List<Term> terms = new ArrayList<>();
            for (int i = range[0]; i < range[1]; i++) {
                terms.add(new Term(sizes.get(items.get(i).name()) / all, i, NONE));
            }
            if (!terms.isEmpty()) {
                limits.add(new Limit(terms, bits));
            }
        }
        return new WidthBudget(items, limits);
    }

    /**
     * So many bit operations an image: multiplications times the bits of the weight and of the value, of all layers
     * with codes.
     *
     * @throws UnsupportedModelException if no width is learned, or the least widths take more
     */
    public static WidthBudget ofBitOperations(QuantizedTwin twin, double operations) {
        List<Item> items = items(twin);
        Map<String, Integer> index = new HashMap<>();
        items.forEach(item -> index.put(item.name(), index.size()));
        Map<String, QuantizedValue> values = new HashMap<>();
        twin.values().forEach(value -> value.names().forEach(name -> values.put(name, value)));
        Map<String, Node> nodes = new HashMap<>();
        twin.graph().nodes().forEach(node -> nodes.put(node.name(), node));
        Map<String, ValueInfo> infos = twin.infos();
        List<Term> terms = new ArrayList<>();
        for (QuantizedLayer layer : twin.layers()) {
            Node node = nodes.get(layer.node());
            Shape output = infos.get(node.output()).shape();
            double factor = (double) twin.graph().constants().get(layer.weights()).elements() * output.elements()
                    / output.dim(0) / output.dim(1);
            int weights = index.getOrDefault(layer.weights(), NONE);
            QuantizedValue read = values.get(node.input(0));
            int value = read == null ? NONE : index.getOrDefault(read.step(), NONE);
            factor *= weights == NONE ? layer.how().bits() : 1;
            factor *= value == NONE ? read == null ? MOST : read.how().bits() : 1;
            terms.add(new Term(factor, weights, value));
        }
        WidthBudget budget = new WidthBudget(items, List.of(new Limit(terms, operations)));
        double[] least = new double[items.size()];
        Arrays.fill(least, LEAST);
        double needed = budget.limits.getFirst().cost(least);
        if (needed > operations) {
            throw new UnsupportedModelException(String.format(Locale.ROOT, "takes %.3f G bit operations an image with 2"
                    + " bits wherever widths are learned, and %.3f are allowed: allow more, or give a smaller input",
                    needed / 1e9, operations / 1e9));
        }
        return budget;
    }

    private static boolean isLearned(Quantization how) {
        return how.bits() < MOST && how.bits() >= LEAST;
    }

    private static List<Item> items(QuantizedTwin twin) {
        List<Item> items = new ArrayList<>();
        twin.layers().stream().filter(layer -> isLearned(layer.how()))
                .forEach(layer -> items.add(new Item(layer.weights(), layer.how().bits())));
        twin.values().stream()
                .filter(value -> value.learned() && isLearned(value.how()))
                .forEach(value -> items.add(new Item(value.step(), value.how().bits())));
        if (items.isEmpty()) {
            throw new UnsupportedModelException("has no codes of 2 to 7 bits, whose widths could be learned");
        }
        return items;
    }

    /** Number of weights, and of values for one image, by name. */
    private static Map<String, Double> sizes(QuantizedTwin twin) {
        Map<String, Double> sizes = new HashMap<>();
        twin.layers().forEach(layer -> sizes.put(layer.weights(),
                (double) twin.graph().constants().get(layer.weights()).elements()));
        Map<String, ValueInfo> infos = twin.infos();
        twin.values().forEach(value -> sizes.put(value.step(),
                value.names().stream().mapToDouble(name -> infos.get(name).shape().elements()).sum()));
        return sizes;
    }

    /** The widths that are learned, weights first. */
    public List<Item> items() {
        return items;
    }

    /** The widths as they were given. */
    public double[] given() {
        return items.stream().mapToDouble(Item::given).toArray();
    }

    /** Costs of widths, in the order of {@link #limits()}. */
    double[] costs(double[] widths) {
        return limits.stream().mapToDouble(limit -> limit.cost(widths)).toArray();
    }

    /** The most that each cost may be. */
    double[] limits() {
        return limits.stream().mapToDouble(Limit::most).toArray();
    }

    /**
     * The widths, all moved by as much until they cost what is allowed.
     *
     * @param share of the way from what the given widths cost to the limit, 0 to 1
     */
    public double[] within(double[] widths, double share) {
        double[] moved = widths.clone();
        for (Limit limit : limits) {
            double start = limit.cost(given());
            double allowed = start + share * (limit.most() - start);
            double[] slopes = limit.slopes(moved);
            double[] from = moved;
            double low = -MOST;
            double high = MOST;
            for (int i = 0; i < BISECTIONS; i++) {
                double middle = (low + high) / 2;
                if (limit.cost(less(from, slopes, middle)) > allowed) {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            moved = less(from, slopes, high);
        }
        return moved;
    }

    private static double[] less(double[] widths, double[] slopes, double shift) {
        double[] less = widths.clone();
        for (int i = 0; i < less.length; i++) {
            less[i] = slopes[i] > 0 ? Math.clamp(less[i] - shift, LEAST, MOST) : Math.clamp(less[i], LEAST, MOST);
        }
        return less;
    }

    /** A gradient in the widths without what would change the costs: its projection onto widths of the same costs. */
    public double[] tangential(double[] gradient, double[] widths) {
        double[] along = gradient.clone();
        for (Limit limit : limits) {
            double[] slopes = limit.slopes(widths);
            double product = 0;
            double norm = 0;
            for (int i = 0; i < slopes.length; i++) {
                product += slopes[i] * along[i];
                norm += slopes[i] * slopes[i];
            }
            for (int i = 0; i < slopes.length; i++) {
                along[i] -= norm == 0 ? 0 : slopes[i] * product / norm;
            }
        }
        return along;
    }

    /**
     * Whole widths: the nearest, of which those that were rounded up most are lowered until the limits hold. Of whole
     * widths within the limits they are the same.
     */
    public int[] whole(double[] widths) {
        double[] whole = Arrays.stream(widths).map(width -> Math.clamp(Math.rint(width), LEAST, MOST)).toArray();
        for (Limit limit : limits) {
            while (limit.cost(whole) > limit.most() * (1 + TOLERANCE)) {
                double[] slopes = limit.slopes(whole);
                int most = NONE;
                for (int i = 0; i < whole.length; i++) {
                    if (slopes[i] > 0 && whole[i] > LEAST
                            && (most == NONE || whole[i] - widths[i] > whole[most] - widths[most])) {
                        most = i;
                    }
                }
                if (most == NONE) {
                    break;
                }
                whole[most]--;
            }
        }
        return Arrays.stream(whole).mapToInt(width -> (int) width).toArray();
    }
}
