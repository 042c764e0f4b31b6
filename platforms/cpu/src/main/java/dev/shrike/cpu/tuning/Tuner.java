package dev.shrike.cpu.tuning;

import dev.shrike.cpu.binding.CpuModel;
import dev.shrike.cpu.binding.NativeLibrary;
import dev.shrike.cpu.plan.Plan;
import dev.shrike.cpu.plan.PlanBuilder;
import dev.shrike.cpu.plan.PlanMeter;
import dev.shrike.cpu.steps.ConvKernel;
import dev.shrike.cpu.steps.ConvLayer;
import dev.shrike.cpu.steps.CpuSettings;
import dev.shrike.cpu.steps.KernelChoice;
import dev.shrike.graph.Graph;
import dev.shrike.spi.BuildOptions;
import dev.shrike.spi.ExecutorOptions;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Finds the quickest kernel of every convolution of a network on this very machine.
 *
 * <p>Each candidate runs in a plan of the whole network, wherever it can: so a layer is measured on the buffers that it
 * will have, with the caches as its neighbours leave them. The plans run in turn, and a layer's time is the least one
 * of several runs; layers with equal keys are added up. The engine's own choice is kept unless another one is clearly
 * ahead. What was measured before is not measured again.
 */
public final class Tuner {
    /** The engine's own choice is left only for less than this part of its time: measurements waver by as much. */
    private static final double CLEARLY = 0.97;

    private final NativeLibrary library;
    private final CpuSettings settings;
    private final CpuModel cpu;
    private final TuningCache cache;
    private final PlanMeter meter;

    public Tuner(NativeLibrary library, CpuSettings settings, CpuModel cpu, TuningCache cache, PlanMeter meter) {
        this.library = library;
        this.settings = settings;
        this.cpu = cpu;
        this.cache = cache;
        this.meter = meter;
    }

    /** For this machine, with what it knows and its own clock. */
    public static Tuner here(NativeLibrary library, CpuSettings settings) {
        CpuModel cpu = CpuModel.here();
        return new Tuner(library, settings, cpu, TuningCache.here(cpu), PlanMeter.RUNNING);
    }

    /** The kernels for a network with those options' threads. */
    public Tuning tune(Graph graph, ExecutorOptions options, BuildOptions.Progress progress) {
        long start = System.nanoTime();
        int threads = PlanBuilder.threads(options);
        String target = Choices.target(cpu, library, settings, threads);
        List<ConvLayer> usual = layers(graph, options, KernelChoice.of(settings, Map.of()));
        Map<String, ConvKernel> known = new HashMap<>(cache.read(target));
        Set<String> missing = new TreeSet<>();
        usual.forEach(layer -> missing.add(layer.key()));
        missing.removeAll(known.keySet());
        if (!missing.isEmpty()) {
            Map<String, ConvKernel> found = measure(graph, options, usual, progress);
            found.keySet().retainAll(missing);
            cache.add(target, found);
            known.putAll(found);
        }
        Map<String, ConvKernel> kernels = new HashMap<>();
        usual.forEach(layer -> kernels.put(layer.key(), known.get(layer.key())));
        List<ConvLayer> tuned = new ArrayList<>();
        usual.forEach(layer -> tuned.add(layer.by(known.get(layer.key()))));
        return new Tuning(new Choices(target, kernels), tuned, System.nanoTime() - start, !missing.isEmpty());
    }

    private List<ConvLayer> layers(Graph graph, ExecutorOptions options, KernelChoice choice) {
        try (Plan plan = PlanBuilder.build(library, graph, options, settings, choice)) {
            return plan.layers();
        }
    }

    private Map<String, ConvKernel> measure(
            Graph graph, ExecutorOptions options, List<ConvLayer> usual, BuildOptions.Progress progress) {
        List<Plan> plans = new ArrayList<>();
        try {
            for (KernelChoice choice : candidates(usual, PlanBuilder.threads(options))) {
                addIfNew(PlanBuilder.build(library, graph, options, settings, choice), plans);
            }
            long[][] nanos = meter.measure(plans, progress);
            Map<String, Map<ConvKernel, Long>> times = new HashMap<>();
            for (int i = 0; i < plans.size(); i++) {
                addTimes(plans.get(i), nanos[i], times);
            }
            Map<String, ConvKernel> found = new HashMap<>();
            usual.forEach(layer -> found.put(layer.key(), quickest(layer.kernel(), times.get(layer.key()))));
            return found;
        } finally {
            plans.forEach(Plan::close);
        }
    }

    /** A candidate that is missing here, or takes no layer, gives a plan that there is already. */
    private static void addIfNew(Plan plan, List<Plan> plans) {
        if (plans.stream().anyMatch(other -> other.layers().equals(plan.layers()))) {
            plan.close();
        } else {
            plans.add(plan);
        }
    }

    /** Plans that show every kernel that may be chosen at each layer that can take it. */
    private List<KernelChoice> candidates(List<ConvLayer> layers, int threads) {
        List<ConvKernel> floats = layers.stream().allMatch(ConvLayer::onCodes) ? List.of()
                : offered(settings.realKernel(), threads, ConvKernel.NATIVE, ConvKernel.ONEDNN, ConvKernel.ACL);
        List<ConvKernel> codes = layers.stream().noneMatch(ConvLayer::onCodes) ? List.of()
                : offered(settings.codesKernel(), threads, ConvKernel.INT8, ConvKernel.BITSERIAL, ConvKernel.ONEDNN);
        List<KernelChoice> choices = new ArrayList<>();
        for (int i = 0; i < Math.max(floats.size(), codes.size()); i++) {
            choices.add(KernelChoice.trial(at(floats, i), at(codes, i)));
        }
        return choices;
    }

    private static List<ConvKernel> offered(Optional<ConvKernel> named, int threads, ConvKernel... free) {
        if (named.isPresent()) {
            return List.of(named.get());
        }
        List<ConvKernel> kernels = new ArrayList<>(List.of(free));
        if (threads > 1) {
            // Its OpenMP threads spin after each call and slow down the steps that follow, whatever its own time is.
            kernels.remove(ConvKernel.ONEDNN);
        }
        return kernels;
    }

    private static Optional<ConvKernel> at(List<ConvKernel> kernels, int index) {
        return kernels.isEmpty() ? Optional.empty() : Optional.of(kernels.get(Math.min(index, kernels.size() - 1)));
    }

    /** Adds up the steps of each layer; of two plans with the same kernel for a layer the quicker one counts. */
    private static void addTimes(Plan plan, long[] nanos, Map<String, Map<ConvKernel, Long>> times) {
        Map<String, Long> byNode = new HashMap<>();
        for (int step = 0; step < nanos.length; step++) {
            byNode.merge(plan.node(step), nanos[step], Long::sum);
        }
        Map<String, Map<ConvKernel, Long>> sums = new HashMap<>();
        for (ConvLayer layer : plan.layers()) {
            sums.computeIfAbsent(layer.key(), _ -> new EnumMap<>(ConvKernel.class))
                    .merge(layer.kernel(), byNode.get(layer.node()), Long::sum);
        }
        sums.forEach((key, kernels) -> kernels.forEach((kernel, sum) -> times
                .computeIfAbsent(key, _ -> new EnumMap<>(ConvKernel.class)).merge(kernel, sum, Math::min)));
    }

    private static ConvKernel quickest(ConvKernel usual, Map<ConvKernel, Long> times) {
        ConvKernel best = usual;
        double least = times.containsKey(usual) ? times.get(usual) * CLEARLY : Double.POSITIVE_INFINITY;
        for (Map.Entry<ConvKernel, Long> entry : times.entrySet()) {
            if (entry.getKey() != usual && entry.getValue() < least) {
                best = entry.getKey();
                least = entry.getValue();
            }
        }
        return best;
    }
}
