package dev.shrike.calibration.prune;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.shrike.calibration.prune.channels.ChannelDependencies;
import dev.shrike.graph.Graph;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/**
 * Plans of which none is both cheaper and nearer to the whole network than another one.
 *
 * @param measure of what a plan costs
 * @param whole cost of the whole network
 * @param points the cheapest first
 */
public record ParetoFront(Budget.Measure measure, double whole, List<Point> points) {
    private static final int SCHEMA = 1;
    private static final JsonFactory JSON = new JsonFactory();

    /**
     * A plan.
     *
     * @param removed units that go
     * @param channels that each layer keeps, by name
     * @param cost what is left, in absolute terms
     * @param divergence of the heads from those of the whole network, in nats
     * @param accuracy where it was measured
     */
    public record Point(Set<Integer> removed, Map<String, Integer> channels, double cost, double divergence,
            OptionalDouble accuracy) {}

    public ParetoFront {
        points = List.copyOf(points);
    }

    static ParetoFront of(ChannelDependencies channels, Budget budget, MacModel costs,
            List<ParetoSearch.Plan> plans, PlanJudge judge, Optional<ToDoubleFunction<Graph>> accuracy,
            Pruner.Listener listener) {
        List<Point> points = new ArrayList<>();
        for (ParetoSearch.Plan plan : plans) {
            listener.at("measuring the front", points.size(), plans.size());
            Map<String, Integer> kept = new LinkedHashMap<>();
            channels.layers().forEach((name, units) -> kept.put(name, Math.toIntExact(
                    Arrays.stream(units).filter(unit -> !plan.removed().contains(unit)).count())));
            points.add(new Point(plan.removed(), kept, plan.cost(), plan.divergence(), accuracy.isEmpty()
                    ? OptionalDouble.empty()
                    : OptionalDouble.of(accuracy.get().applyAsDouble(judge.normalized(plan.removed())))));
        }
        return new ParetoFront(budget.measure(), costs.value(budget.measure(), Set.of()), points);
    }

    /** What a cost is called in files. */
    public String unit() {
        return switch (measure) {
            case MACS -> "macs";
            case PARAMETERS -> "parameters";
            case BYTES -> "bytes";
            case LATENCY -> "nanoseconds";
            case CHANNELS -> "channels";
        };
    }

    /** The front as JSON, as {@code docs/prune-front.schema.json} says. */
    public String json() {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            json.writeStartObject();
            json.writeNumberField("schema", SCHEMA);
            json.writeStringField("cost", unit().toLowerCase(Locale.ROOT));
            json.writeNumberField("whole", whole);
            json.writeArrayFieldStart("points");
            for (Point point : points) {
                json.writeStartObject();
                json.writeNumberField("cost", point.cost());
                json.writeNumberField("share", point.cost() / whole);
                json.writeNumberField("divergence", point.divergence());
                if (point.accuracy().isPresent()) {
                    json.writeNumberField("map", point.accuracy().getAsDouble());
                }
                json.writeObjectFieldStart("channels");
                for (Map.Entry<String, Integer> layer : point.channels().entrySet()) {
                    json.writeNumberField(layer.getKey(), layer.getValue());
                }
                json.writeEndObject();
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("a string cannot fail", e);
        }
        return text.toString();
    }
}
