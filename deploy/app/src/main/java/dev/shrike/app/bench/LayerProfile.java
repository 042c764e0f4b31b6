package dev.shrike.app.bench;

import dev.shrike.app.bench.harness.Configuration;
import dev.shrike.app.bench.harness.NetworkContestant;
import dev.shrike.app.bench.report.BenchReport;
import dev.shrike.app.bench.statistics.Quantiles;
import dev.shrike.app.build.InputShapes;
import dev.shrike.app.device.CorePeak;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.spi.StepTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Times of the steps of a network, on its own and with nothing else open. */
final class LayerProfile {
    private static final int WARM_UP = 3;
    private static final int RUNS = 15;
    private static final int FLOAT_BITS = 32;

    private LayerProfile() {}

    /** The steps, and the native memory of the network. */
    record Measured(List<BenchReport.Layer> layers, long nativeBytes) {}

    /**
     * Medians of the steps.
     *
     * @param gigahertz clock of a core, to tell what it could do at best
     */
    static Measured measure(Configuration configuration, CorePeak peak, double gigahertz) {
        try (NetworkContestant network = Contestants.network(configuration)) {
            for (int run = 0; run < WARM_UP; run++) {
                network.run();
            }
            List<StepTime> steps = network.steps();
            double[][] times = new double[steps.size()][RUNS];
            for (int run = 0; run < RUNS; run++) {
                network.run();
                steps = network.steps();
                for (int i = 0; i < times.length; i++) {
                    times[i][run] = steps.get(i).nanos() / 1e6;
                }
            }
            Map<String, Long> bytes = bytes(graph(configuration));
            List<BenchReport.Layer> layers = new ArrayList<>();
            for (int i = 0; i < times.length; i++) {
                layers.add(layer(steps.get(i), Quantiles.median(times[i]), bytes, configuration, peak, gigahertz));
            }
            return new Measured(layers, network.nativeBytes());
        }
    }

    private static BenchReport.Layer layer(StepTime step, double ms, Map<String, Long> bytes,
            Configuration configuration, CorePeak peak, double gigahertz) {
        double gmacs = ms <= 0 ? 0 : step.macs() / ms / 1e6;
        Double share = step.macs() == 0 ? null
                : peak.macsPerCycle(step.kernel()).map(perCycle -> gmacs / (perCycle * gigahertz
                        * configuration.threads())).orElse(null);
        return new BenchReport.Layer(step.node(), step.kernel(), ms, step.macs(), bytes.get(step.node()), gmacs, share);
    }

    private static Graph graph(Configuration configuration) {
        Optional<Backend> builder = Backends.installed().stream()
                .filter(engine -> engine.reads(configuration.model())).findFirst();
        if (builder.isPresent()) {
            return builder.get().load(configuration.model());
        }
        Graph graph = OnnxModels.read(configuration.model());
        return GraphPasses.forInference(graph, InputShapes.of(graph, configuration.width(), configuration.height()));
    }

    /** Bytes that each node reads and writes at least: its constants, its inputs and its outputs, once each. */
    static Map<String, Long> bytes(Graph graph) {
        Map<String, ValueInfo> values = ShapeInference.infer(graph);
        Map<String, Long> bytes = new HashMap<>();
        for (Node node : graph.nodes()) {
            long sum = 0;
            boolean known = true;
            List<String> names = new ArrayList<>(node.inputs());
            names.addAll(node.outputs());
            for (String name : names) {
                ValueInfo value = values.get(name);
                if (name.isEmpty()) {
                    continue;
                }
                if (value == null || !value.shape().isKnown()) {
                    known = false;
                    continue;
                }
                sum += bytes(value, graph.quantization().get(name), graph.constants().containsKey(name));
            }
            if (known) {
                bytes.put(node.name(), sum);
            }
        }
        return bytes;
    }

    /** Weights are stored in as many bits as they have, codes of activations in a byte each. */
    private static long bytes(ValueInfo value, Quantization how, boolean constant) {
        int bits = how == null ? FLOAT_BITS : constant ? how.bits() : Byte.SIZE;
        return (value.shape().elements() * bits + Byte.SIZE - 1) / Byte.SIZE;
    }
}
