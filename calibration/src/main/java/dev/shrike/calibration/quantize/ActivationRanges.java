package dev.shrike.calibration.quantize;

import dev.shrike.ModelException;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.calibration.ranges.Histogram;
import dev.shrike.calibration.ranges.RangeCalibrator;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;

/** Codes of all values of a network from their statistics. */
final class ActivationRanges {
    private final QuantizerPlacement values;
    private final RangeCalibrator narrow;
    private final RangeCalibrator wide;
    private final boolean symmetric;

    /**
     * @param narrow method for fewer than 8 bits
     * @param wide method for 8 bits
     * @param symmetric whether codes of 8 bits are signed, with zero point 0
     */
    ActivationRanges(QuantizerPlacement values, RangeCalibrator narrow, RangeCalibrator wide, boolean symmetric) {
        this.symmetric = symmetric;
        this.values = values;
        this.narrow = narrow;
        this.wide = wide;
    }

    /** Names of the values whose statistics are needed. */
    static Set<String> sources(QuantizerPlacement values) {
        Set<String> names = new HashSet<>();
        values.groups().forEach(group -> names.addAll(group.sources()));
        return names;
    }

    /**
     * The codes.
     *
     * @param weighted histograms of values in which elements count as much as their errors, where known; they decide
     *     about values of fewer than 8 bits
     */
    Map<String, Quantization> choose(Map<String, ActivationStatistics> statistics,
            Function<String, Optional<Histogram>> weighted) {
        Graph graph = values.graph();
        Map<String, DoubleUnaryOperator> functions = functions(graph);
        Set<String> inputs = new HashSet<>();
        graph.inputs().forEach(input -> inputs.add(input.name()));
        Map<String, Quantization> chosen = new java.util.concurrent.ConcurrentHashMap<>();
        values.groups().parallelStream().forEach(group -> {
            ActivationStatistics all = null;
            for (String source : group.sources()) {
                ActivationStatistics own = statistics.get(source);
                if (own == null) {
                    throw new ModelException("no range is known of value '" + source + "'; it must be measured first");
                }
                if (group.bits() < 8) {
                    own = weighted.apply(source).map(own::with).orElse(own);
                }
                all = all == null ? own : all.union(own);
            }
            String first = group.values().getFirst();
            RangeCalibrator method =
                    inputs.contains(first) ? new RangeCalibrator.MinMax() : group.bits() == 8 ? wide : narrow;
            DoubleUnaryOperator function = functions.getOrDefault(first, DoubleUnaryOperator.identity());
            Quantization codes = symmetric ? method.symmetricCodes(all, function).symmetricQuantization()
                    : method.codes(all, group.bits(), function).quantization();
            group.values().forEach(name -> chosen.put(name, codes));
        });
        return new HashMap<>(chosen);
    }

    /** The functions of values of which only a function is used. */
    static Map<String, DoubleUnaryOperator> functions(Graph graph) {
        Map<String, DoubleUnaryOperator> functions = new HashMap<>();
        SoleReaders.of(graph).forEach((name, node) -> {
            if (node.op() instanceof Op.Unary unary) {
                DoubleUnaryOperator function = switch (unary.kind()) {
                    case SILU -> x -> x / (1 + Math.exp(-x));
                    case SIGMOID -> x -> 1 / (1 + Math.exp(-x));
                    case RELU -> x -> Math.max(0, x);
                    case LEAKY_RELU -> x -> x < 0 ? unary.alpha() * x : x;
                    case TANH -> Math::tanh;
                    case HARD_SWISH -> x -> x * Math.clamp(x / 6 + 0.5, 0, 1);
                    default -> null;
                };
                if (function != null) {
                    functions.put(name, function);
                }
            }
        });
        return functions;
    }
}
