package dev.shrike.calibration.quantize;

import dev.shrike.ModelException;
import dev.shrike.calibration.ranges.RangeCalibrator;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which layer gets which widths: what a user may read, edit and apply again, as YAML.
 *
 * @param scheme what the plan was made for, for people
 * @param ranges method for values of fewer than 8 bits, or empty for the default
 * @param wideRanges method for values of 8 bits, or empty for the default
 * @param dynamicRanges whether each run measures the ranges of what layers read, which have 8 bits then; all else of a
 *     network is float, so there are neither methods nor codes in front of activation functions
 * @param preActivations whether what a layer gives to its activation function has codes of 8 bits, or else is float
 * @param layers widths by the name of the layer, in order; empty leaves a layer in float
 */
public record QuantizationPlan(String scheme, Optional<String> ranges, Optional<String> wideRanges,
        boolean dynamicRanges, boolean preActivations, Map<String, Optional<BitWidths>> layers) {
    private static final String FLOAT = "float";
    private static final Object EIGHT = 8;
    private static final Set<String> KEYS =
            Set.of("scheme", "ranges", "wide-ranges", "activation-ranges", "pre-activations", "layers");
    private static final String DYNAMIC = "dynamic";
    private static final String STATIC = "static";
    private static final int LEAST_OF_FLOAT = 4;

    public QuantizationPlan {
        layers = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(layers));
        ranges.ifPresent(RangeCalibrator::parse);
        wideRanges.ifPresent(RangeCalibrator::parse);
        if (dynamicRanges && (ranges.isPresent() || wideRanges.isPresent())) {
            throw new IllegalArgumentException("dynamic ranges are those of each image, so no method chooses them:"
                    + " leave ranges and wide-ranges out, or take static ranges");
        }
        if (dynamicRanges && preActivations) {
            throw new IllegalArgumentException("with dynamic ranges activation functions get floats: leave"
                    + " pre-activations 8 out, or take static ranges");
        }
        if (dynamicRanges) {
            layers.forEach((name, widths) -> widths.filter(own -> own.activations() != 8).ifPresent(own -> {
                throw new IllegalArgumentException("layer '" + name + "' has " + own + ", but dynamic ranges are for"
                        + " activations of 8 bits: give w" + own.weights() + "a8, or take static ranges");
            }));
        }
    }

    /**
     * A plan whose layers give floats to their activation functions, or codes of 8 bits if any of them reads fewer than
     * 4: so few codes come from comparisons of sums with thresholds, which are found for a function of codes.
     */
    public QuantizationPlan(String scheme, Optional<String> ranges, Optional<String> wideRanges,
            Map<String, Optional<BitWidths>> layers) {
        this(scheme, ranges, wideRanges, false, layers.values().stream().flatMap(Optional::stream)
                .anyMatch(widths -> widths.activations() < LEAST_OF_FLOAT), layers);
    }

    /** Widths of a layer, or null for float. */
    BitWidths widths(String layer) {
        return layers.getOrDefault(layer, Optional.empty()).orElse(null);
    }

    /** The same with other methods; empty ones keep the plan's own. */
    public QuantizationPlan withRanges(Optional<String> narrow, Optional<String> wide) {
        return new QuantizationPlan(scheme, narrow.or(() -> ranges), wide.or(() -> wideRanges), dynamicRanges,
                preActivations, layers);
    }

    /**
     * The same, with ranges of activations that each run measures or with static ones.
     *
     * @throws IllegalArgumentException if the plan has what does not go with dynamic ranges
     */
    public QuantizationPlan withDynamicRanges(boolean dynamic) {
        return new QuantizationPlan(scheme, ranges, wideRanges, dynamic, preActivations, layers);
    }

    /** The same, but what a layer gives to its activation function has codes, or stays float. */
    public QuantizationPlan withPreActivations(boolean codes) {
        return new QuantizationPlan(scheme, ranges, wideRanges, dynamicRanges, codes, layers);
    }

    /** The plan as text. */
    public String toYaml() {
        StringBuilder text = new StringBuilder();
        text.append("""
                # Widths of the codes of each layer: w4a8 is 4 bits a weight and 8 bits for what the layer reads, 2 to 8
                # each; 'w4a8 power-of-two' the same with weights that are powers of two, 2 to 5 bits;
                # 'w3.7a8 entropy-coded' weights of 8 bits that take 3.7 in a compressed file; or float.
                # Edit and apply with: shrike quantize MODEL.onnx --plan FILE …
                """);
        text.append("scheme: ").append(YamlText.quoted(scheme)).append('\n');
        ranges.ifPresent(method -> text.append("ranges: ").append(YamlText.quoted(method)).append('\n'));
        wideRanges.ifPresent(method -> text.append("wide-ranges: ").append(YamlText.quoted(method)).append('\n'));
        if (dynamicRanges) {
            text.append("activation-ranges: ").append(DYNAMIC).append('\n');
        }
        text.append("pre-activations: ").append(preActivations ? EIGHT : FLOAT).append('\n');
        text.append("layers:\n");
        layers.forEach((name, widths) -> text.append("  ").append(YamlText.quoted(name)).append(": ")
                .append(widths.map(BitWidths::toString).orElse(FLOAT)).append('\n'));
        return text.toString();
    }

    /** Writes the plan, all of it or nothing. */
    public void write(Path file) {
        YamlText.write(file, toYaml());
    }

    /**
     * The plan in a file.
     *
     * @throws ModelException if it is no plan; names the line or the layer
     */
    public static QuantizationPlan read(Path file) {
        return parse(YamlText.read(file), file.toString());
    }

    static QuantizationPlan parse(String text, String label) {
        Object loaded = YamlText.parse(text, label);
        if (!(loaded instanceof Map<?, ?> map) || !(map.get("layers") instanceof Map<?, ?> entries)) {
            throw new ModelException(label + ": is no plan: a map 'layers' of widths by layer is missing");
        }
        for (Object key : map.keySet()) {
            if (!KEYS.contains(key)) {
                throw new ModelException(label + ": unknown entry '" + key + "'");
            }
        }
        Object preActivations = map.get("pre-activations");
        if (preActivations != null && !FLOAT.equals(preActivations) && !EIGHT.equals(preActivations)) {
            throw new ModelException(label + ": pre-activations: '" + preActivations + "' is neither float nor 8");
        }
        Object activationRanges = map.get("activation-ranges");
        if (activationRanges != null && !DYNAMIC.equals(activationRanges) && !STATIC.equals(activationRanges)) {
            throw new ModelException(label + ": activation-ranges: '" + activationRanges
                    + "' is neither static nor dynamic");
        }
        Map<String, Optional<BitWidths>> layers = new LinkedHashMap<>();
        entries.forEach((name, widths) -> {
            try {
                layers.put(String.valueOf(name), FLOAT.equals(widths) ? Optional.empty()
                        : Optional.of(BitWidths.parse(String.valueOf(widths))));
            } catch (IllegalArgumentException e) {
                throw new ModelException(label + ": layer '" + name + "': " + e.getMessage(), e);
            }
        });
        try {
            return new QuantizationPlan(String.valueOf(map.get("scheme")),
                    Optional.ofNullable(map.get("ranges")).map(String::valueOf),
                    Optional.ofNullable(map.get("wide-ranges")).map(String::valueOf),
                    DYNAMIC.equals(activationRanges), !FLOAT.equals(preActivations), layers);
        } catch (IllegalArgumentException e) {
            throw new ModelException(label + ": " + e.getMessage(), e);
        }
    }
}
