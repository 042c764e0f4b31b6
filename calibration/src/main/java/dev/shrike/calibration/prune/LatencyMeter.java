package dev.shrike.calibration.prune;

import dev.shrike.calibration.activations.Subgraphs;
import dev.shrike.calibration.quantize.LayerLatencies;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.spi.Backend;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Times networks and their layers on this machine. */
public final class LatencyMeter {
    private static final int WARM_UP = 2;
    /** Runs of microseconds are repeated until they together take this long: a few of them tell of interrupts only. */
    private static final long LEAST_NANOS = 4_000_000;
    private static final int MOST_ROUNDS = 500;

    private final Backend backend;
    private final int threads;
    private final int rounds;

    /**
     * A meter.
     *
     * @param threads worker threads; 0 takes one per processor
     * @param rounds of which the median counts, at least; networks of microseconds get more
     */
    public LatencyMeter(Backend backend, int threads, int rounds) {
        this.backend = backend;
        this.threads = threads;
        this.rounds = rounds;
    }

    /** Median nanoseconds of each of these networks, which run in turn so that they meet the same disturbances. */
    public long[] networks(Graph... graphs) {
        GraphExecutor[] executors = new GraphExecutor[graphs.length];
        try {
            List<List<Long>> times = new ArrayList<>();
            for (int i = 0; i < graphs.length; i++) {
                executors[i] = open(graphs[i]);
                times.add(new ArrayList<>());
            }
            long sum = 0;
            for (int round = -WARM_UP; round < rounds || sum < LEAST_NANOS && round < MOST_ROUNDS; round++) {
                for (int i = 0; i < graphs.length; i++) {
                    long start = System.nanoTime();
                    executors[i].run();
                    long time = System.nanoTime() - start;
                    if (round >= 0) {
                        times.get(i).add(time);
                        sum += time;
                    }
                }
            }
            return times.stream().mapToLong(LayerLatencies::median).toArray();
        } finally {
            for (GraphExecutor executor : executors) {
                if (executor != null) {
                    executor.close();
                }
            }
        }
    }

    /** Median nanoseconds of each convolution run alone, by name. */
    public Map<String, Long> layers(Graph graph) {
        Map<String, ValueInfo> infos = ShapeInference.infer(graph);
        Map<String, Long> times = new HashMap<>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Conv && graph.constants().containsKey(node.input(1))
                    && infos.containsKey(node.input(0))) {
                times.put(node.name(), networks(Subgraphs.of(graph, List.of(node),
                        List.of(infos.get(node.input(0))), List.of(infos.get(node.output()))))[0]);
            }
        }
        return times;
    }

    private GraphExecutor open(Graph graph) {
        return backend.open(GraphPasses.forInference(graph, Map.of()), ExecutorOptions.DEFAULT.withThreads(threads));
    }
}
