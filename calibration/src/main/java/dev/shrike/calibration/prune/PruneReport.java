package dev.shrike.calibration.prune;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.shrike.graph.Graph;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * What pruning did to a network, as a whole and layer by layer.
 *
 * @param layers of the network as it was, in its order
 * @param before milliseconds of the whole network, if measured
 * @param after the same of the pruned network
 * @param map50Before mAP50 before, if measured; likewise the others
 */
public record PruneReport(List<Layer> layers, OptionalDouble before, OptionalDouble after, OptionalDouble map50Before,
        OptionalDouble map50After, OptionalDouble mapBefore, OptionalDouble mapAfter) {
    private static final int SCHEMA = 1;
    private static final JsonFactory JSON = new JsonFactory();

    /**
     * One layer.
     *
     * @param before what it was
     * @param after what it is; null if it is gone
     * @param nanosBefore median time of the layer alone before, 0 if not measured
     * @param nanosAfter the same afterwards
     */
    public record Layer(LayerCost before, LayerCost after, long nanosBefore, long nanosAfter) {}

    public PruneReport {
        layers = List.copyOf(layers);
    }

    /** A report without accuracy. */
    public static PruneReport of(Graph before, Graph after, Map<String, Long> nanosBefore,
            Map<String, Long> nanosAfter, OptionalDouble millisBefore, OptionalDouble millisAfter) {
        Map<String, LayerCost> left = new HashMap<>();
        LayerCost.of(after).forEach(cost -> left.put(cost.layer(), cost));
        List<Layer> layers = new ArrayList<>();
        for (LayerCost cost : LayerCost.of(before)) {
            layers.add(new Layer(cost, left.get(cost.layer()), nanosBefore.getOrDefault(cost.layer(), 0L),
                    nanosAfter.getOrDefault(cost.layer(), 0L)));
        }
        OptionalDouble none = OptionalDouble.empty();
        return new PruneReport(layers, millisBefore, millisAfter, none, none, none, none);
    }

    /** The same with mAP of both networks, 0 to 1. */
    public PruneReport withAccuracy(double map50, double map, double map50Pruned, double mapPruned) {
        return new PruneReport(layers, before, after, OptionalDouble.of(map50), OptionalDouble.of(map50Pruned),
                OptionalDouble.of(map), OptionalDouble.of(mapPruned));
    }

    /** Costs of all layers as they were. */
    public List<LayerCost> costsBefore() {
        return layers.stream().map(Layer::before).toList();
    }

    /** Costs of all layers that are left. */
    public List<LayerCost> costsAfter() {
        return layers.stream().map(Layer::after).filter(java.util.Objects::nonNull).toList();
    }

    /** Lines for people: the whole network. */
    public List<String> summary() {
        List<String> lines = new ArrayList<>();
        List<LayerCost> old = costsBefore();
        List<LayerCost> left = costsAfter();
        lines.add(row("parameters", LayerCost.parameters(old) / 1e6, LayerCost.parameters(left) / 1e6, "million", 3));
        lines.add(row("MACs", LayerCost.macs(old) / 1e9, LayerCost.macs(left) / 1e9, "billion", 3));
        long zeros = left.stream().mapToLong(LayerCost::zeros).sum();
        long weights = left.stream().mapToLong(LayerCost::weights).sum();
        lines.add(String.format(Locale.ROOT, "zero weights: %d of %d, %.2f %%", zeros, weights,
                weights == 0 ? 0 : 100.0 * zeros / weights));
        if (before.isPresent() && after.isPresent()) {
            lines.add(row("latency", before.getAsDouble(), after.getAsDouble(), "ms", 2));
        }
        if (mapBefore.isPresent()) {
            lines.add(row("mAP50", map50Before.getAsDouble(), map50After.getAsDouble(), "", 4));
            lines.add(row("mAP50-95", mapBefore.getAsDouble(), mapAfter.getAsDouble(), "", 4));
        }
        return lines;
    }

    private static String row(String what, double before, double after, String unit, int digits) {
        String number = "%." + digits + "f";
        return String.format(Locale.ROOT, "%s: " + number + " -> " + number + "%s, %.1f %%", what, before, after,
                unit.isEmpty() ? "" : " " + unit, before == 0 ? 0 : 100 * after / before);
    }

    /** Lines for people: a table of the layers. */
    public List<String> table() {
        int widest = layers.stream().mapToInt(layer -> layer.before().layer().length()).max().orElse(5);
        List<String> lines = new ArrayList<>();
        String head = "%-" + widest + "s %11s %11s %7s %10s %9s %9s %9s";
        lines.add(String.format(Locale.ROOT, head, "layer", "inputs", "outputs", "zeros", "parameters", "MACs (M)",
                "us before", "us after"));
        for (Layer layer : layers) {
            LayerCost old = layer.before();
            LayerCost now = layer.after();
            if (now == null) {
                lines.add(String.format(Locale.ROOT, "%-" + widest + "s removed", old.layer()));
                continue;
            }
            lines.add(String.format(Locale.ROOT, head, old.layer(), now.inputs() + "/" + old.inputs(),
                    now.outputs() + "/" + old.outputs(),
                    String.format(Locale.ROOT, "%.1f%%", 100.0 * now.zeros() / Math.max(1, now.weights())),
                    now.parameters(), String.format(Locale.ROOT, "%.2f", now.macs() / 1e6),
                    layer.nanosBefore() == 0 ? "-" : layer.nanosBefore() / 1000,
                    layer.nanosAfter() == 0 ? "-" : layer.nanosAfter() / 1000));
        }
        return lines;
    }

    /** The report as JSON, as {@code docs/prune.schema.json} says. */
    public String json() {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            json.writeStartObject();
            json.writeNumberField("schema", SCHEMA);
            network(json, "before", costsBefore(), before, map50Before, mapBefore);
            network(json, "after", costsAfter(), after, map50After, mapAfter);
            json.writeArrayFieldStart("layers");
            for (Layer layer : layers) {
                json.writeStartObject();
                json.writeStringField("name", layer.before().layer());
                layer(json, "before", layer.before(), layer.nanosBefore());
                if (layer.after() != null) {
                    layer(json, "after", layer.after(), layer.nanosAfter());
                }
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("a string cannot fail", e);
        }
        return text.toString();
    }

    private static void network(JsonGenerator json, String name, List<LayerCost> costs, OptionalDouble millis,
            OptionalDouble map50, OptionalDouble map) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("parameters", LayerCost.parameters(costs));
        json.writeNumberField("macs", LayerCost.macs(costs));
        json.writeNumberField("weights", costs.stream().mapToLong(LayerCost::weights).sum());
        json.writeNumberField("zeros", costs.stream().mapToLong(LayerCost::zeros).sum());
        if (millis.isPresent()) {
            json.writeNumberField("latency_ms", millis.getAsDouble());
        }
        if (map.isPresent()) {
            json.writeNumberField("map50", map50.getAsDouble());
            json.writeNumberField("map", map.getAsDouble());
        }
        json.writeEndObject();
    }

    private static void layer(JsonGenerator json, String name, LayerCost cost, long nanos) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("inputs", cost.inputs());
        json.writeNumberField("outputs", cost.outputs());
        json.writeNumberField("weights", cost.weights());
        json.writeNumberField("zeros", cost.zeros());
        json.writeNumberField("parameters", cost.parameters());
        json.writeNumberField("bytes", 4 * cost.parameters());
        json.writeNumberField("macs", cost.macs());
        if (nanos > 0) {
            json.writeNumberField("latency_us", nanos / 1e3);
        }
        json.writeEndObject();
    }
}
