package dev.shrike.calibration.training;

import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.activations.HeapGarbage;
import dev.shrike.calibration.activations.Subgraphs;
import dev.shrike.calibration.linear.BlasThreads;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.ToDoubleBiFunction;

/**
 * Tunes a quantised network as a whole: its weights, biases and the steps of its narrow values, by the gradient of what
 * separates it from the float network, which passes straight through roundings (Bengio et al. 2013; Hinton et al. 2015
 * for the teacher; Esser et al. 2020 for the steps). No labels are needed.
 *
 * <p>Some images are held out. The result is the state that came closest to the teacher on them, be it the first.
 */
public final class Distillation implements AutoCloseable {
    private static final int BATCH = 4;
    private static final int HELD_OUT = 32;
    /** Steps over which the rate grows to its full size, while Adam learns how large gradients are. */
    private static final int WARM_UP = 40;
    /** Share of a step in the moving average of the parameters that is tried and kept; it does not flip to and fro. */
    private static final float AVERAGED = 0.02f;
    /** Of fewer images than these, less than half would be learned from. */
    public static final int LEAST_IMAGES = 2 * HELD_OUT;

    private final Graph quantized;
    private final Options options;
    private final StudentParameters parameters;
    private final List<DistillationWorker> workers = new ArrayList<>();
    private final ExecutorService pool;
    private final List<String> heads = new ArrayList<>();
    private final List<String> inside = new ArrayList<>();
    private final WindowReader reader;
    /** Indices of images in the order in which they are learned from. */
    private final List<Integer> order = new ArrayList<>();
    private final List<WindowReader.Choice> heldOut = new ArrayList<>();
    private final SplittableRandom random = new SplittableRandom(20);

    /**
     * How to tune.
     *
     * @param epochs how often each image is seen
     * @param rate longest step of weights of 4 bits, in codes, for each unit of the loss of the given network: one
     *     that is close to its teacher has little to gain and soon becomes worse
     * @param inside weight of errors of values inside the network, against that of its head
     * @param threads images at a time; 0 takes one per processor
     */
    public record Options(int epochs, double rate, double inside, int threads) {
        /** What YOLOv5 was tuned with for the figures of the README. */
        public static Options of(int epochs, int threads) {
            return new Options(epochs, 0.005, 2, threads);
        }

        public Options {
            if (epochs < 1 || !(rate > 0) || !(inside >= 0) || threads < 0) {
                throw new IllegalArgumentException(epochs + " epochs, rate " + rate + ", inside " + inside + ", "
                        + threads + " threads");
            }
        }
    }

    /**
     * What came of it.
     *
     * @param graph the quantised network with what was learned
     * @param before loss of the given network on what was held out
     * @param after the same of this one
     */
    public record Result(Graph graph, double before, double after) {}

    /** Told of progress. */
    @FunctionalInterface
    public interface Listener {
        /**
         * A step is done.
         *
         * @param loss of the last held-out trial; at the start that of the given network
         */
        void step(int done, int total, double loss);
    }

    /**
     * A distillation.
     *
     * @param prepared the float network, as the quantiser prepared it
     * @param quantized what the quantiser made of it
     * @param images to learn from
     * @throws UnsupportedModelException if an operation has no gradient here, or a layer was left in float
     */
    public Distillation(Graph prepared, Graph quantized, CalibrationImages images, Options options) {
        this.quantized = quantized;
        this.options = options;
        if (images.size() < LEAST_IMAGES) {
            throw new UnsupportedModelException(images.size() + " images are too few to tune a network as a whole;"
                    + " give " + LEAST_IMAGES + " or more");
        }
        List<String> products = new ArrayList<>();
        for (Node node : quantized.nodes()) {
            if (node.op() instanceof Op.Conv && quantized.quantization().containsKey(node.input(1))) {
                products.add(node.output());
            }
        }
        Graph coded = Subgraphs.resized(quantized, images.shape(), products);
        Graph real = Subgraphs.resized(prepared, images.shape(), products);
        Map<String, LayerParameters> given = TrainingNetwork.parameters(real);
        this.parameters = new StudentParameters(coded, given);
        this.reader = new WindowReader(images);
        watch(coded, real);
        divide(images.size());
        int count = options.threads() > 0 ? options.threads() : Runtime.getRuntime().availableProcessors();
        for (int i = 0; i < Math.min(count, BATCH); i++) {
            workers.add(
                    new DistillationWorker(new TrainingNetwork(real, given, Map.of(), TrainingNetwork.Gradients.NONE),
                            new TrainingNetwork(coded, parameters.layers(), parameters.roundings(),
                                    TrainingNetwork.Gradients.ALL),
                            heads, inside));
        }
        this.pool = Executors.newFixedThreadPool(workers.size(), Thread.ofPlatform().daemon().factory());
    }

    private void watch(Graph coded, Graph real) {
        Set<String> read = new HashSet<>();
        coded.nodes().forEach(node -> read.addAll(node.inputs()));
        Set<String> known = new HashSet<>();
        real.nodes().forEach(node -> known.addAll(node.outputs()));
        for (Node node : coded.nodes()) {
            if (!known.contains(node.output())) {
                continue;
            }
            if (!read.contains(node.output())) {
                heads.add(node.output());
            } else if (node.op() instanceof Op.Unary || node.op() instanceof Op.Binary) {
                inside.add(node.output());
            }
        }
    }

    /** Chooses what is held out. */
    private void divide(int count) {
        for (int i = 0; i < count; i++) {
            order.add(i);
        }
        for (int i = 0; i < HELD_OUT; i++) {
            int index = i * count / HELD_OUT;
            order.remove(Integer.valueOf(index));
            // Other windows than those that the layers were fitted to, on which the given network looks too good.
            heldOut.add(new WindowReader.Choice(index, 2 * i + 2L));
        }
    }

    /** Tunes the network. */
    public Result run(Listener listener) {
        // The workers multiply at the same time.
        try (BlasThreads _ = BlasThreads.use(1)) {
            return tune(listener);
        }
    }

    private Result tune(Listener listener) {
        List<float[]> trials = WindowReader.await(reader.read(heldOut));
        int each = (order.size() + BATCH - 1) / BATCH;
        int total = options.epochs() * each;
        double before = trial(trials);
        listener.step(0, total, before);
        StudentParameters.State kept = parameters.new State();
        StudentParameters.State average = parameters.new State();
        double best = before;
        double last = before;
        Future<List<float[]>> next = begin(0);
        HeapGarbage garbage = new HeapGarbage();
        for (int done = 0; done < total;) {
            List<float[]> batch = WindowReader.await(next);
            if (done + 1 < total) {
                next = begin((done + 1) % each);
            }
            step(batch, options.rate() * before * share(done, total));
            average.follow(AVERAGED);
            done++;
            if (done % each == 0) {
                StudentParameters.State current = parameters.new State();
                average.restore();
                last = trial(trials);
                if (last < best) {
                    best = last;
                    kept = parameters.new State();
                }
                current.restore();
            }
            listener.step(done, total, last);
            garbage.check();
        }
        kept.restore();
        return new Result(parameters.assembled(quantized), before, best);
    }

    /** Begins to read a batch of an epoch. */
    private Future<List<float[]>> begin(int batch) {
        if (batch == 0) {
            Collections.shuffle(order, new Random(random.nextLong()));
        }
        return reader.read(order.subList(batch * BATCH, Math.min((batch + 1) * BATCH, order.size())).stream()
                .map(index -> new WindowReader.Choice(index, random.nextLong())).toList());
    }

    /** The part of the rate that a step takes. */
    private static double share(int done, int total) {
        return 0.5 * (1 + Math.cos(Math.PI * done / total)) * Math.min(1, (done + 1.0) / WARM_UP);
    }

    private void step(List<float[]> batch, double rate) {
        spread(batch, (worker, part) -> {
            worker.learn(part, options.inside());
            return 0;
        });
        parameters.step(workers.stream().map(DistillationWorker::student).toList(), rate);
    }

    private double trial(List<float[]> images) {
        return spread(images, DistillationWorker::loss) / images.size();
    }

    /** Has each worker do its part of the images, and adds up what comes of it. */
    private double spread(List<float[]> all, ToDoubleBiFunction<DistillationWorker, List<float[]>> work) {
        List<Future<Double>> running = new ArrayList<>();
        for (int i = 0; i < workers.size(); i++) {
            List<float[]> part = new ArrayList<>();
            for (int j = i; j < all.size(); j += workers.size()) {
                part.add(all.get(j));
            }
            DistillationWorker worker = workers.get(i);
            running.add(pool.submit(() -> work.applyAsDouble(worker, part)));
        }
        double sum = 0;
        for (Future<Double> each : running) {
            sum += WindowReader.await(each);
        }
        return sum;
    }

    @Override
    public void close() {
        pool.shutdownNow();
        reader.close();
    }
}
