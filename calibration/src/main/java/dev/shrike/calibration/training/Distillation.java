package dev.shrike.calibration.training;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.CalibrationPictures;
import dev.shrike.calibration.activations.Subgraphs;
import dev.shrike.calibration.linear.Moments;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.ToDoubleBiFunction;

/**
 * Tunes a quantised network as a whole: its weights, biases and the steps of its narrow values, by the gradient of what
 * separates it from the float network, which passes straight through roundings (Bengio et al. 2013; Hinton et al. 2015
 * for the teacher; Esser et al. 2020 for the steps). No labels are needed.
 *
 * <p>Some pictures are held out. The result is the state that came closest to the teacher on them, be it the first.
 */
public final class Distillation implements AutoCloseable {
    private static final int BATCH = 8;
    private static final int HELD_OUT = 32;
    /** Of fewer pictures than these, less than half would be learned from. */
    public static final int LEAST_PICTURES = 2 * HELD_OUT;

    private final Graph quantized;
    private final Options options;
    private final Map<String, LayerParameters> parameters;
    private final Map<String, Rounding> roundings = new HashMap<>();
    private final List<Worker> workers = new ArrayList<>();
    private final ExecutorService pool;
    private final List<String> heads = new ArrayList<>();
    private final List<String> inside = new ArrayList<>();
    private final DistillationLoss loss;
    private final CalibrationPictures pictures;

    /**
     * How to tune.
     *
     * @param epochs how often each picture is seen
     * @param rate first step of weights of 4 bits, in codes
     * @param inside weight of errors of values inside the network
     * @param threads pictures at a time; 0 takes one per processor
     */
    public record Options(int epochs, double rate, double inside, int threads) {
        /** What YOLOv5 was tuned with for the figures of the README. */
        public static Options of(int epochs, int threads) {
            return new Options(epochs, 0.003, 20, threads);
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

    /** One thread with networks of its own. */
    private final class Worker {
        private final TrainingNetwork student;
        private final TrainingNetwork teacher;

        Worker(Graph real, Graph coded, Map<String, LayerParameters> given) {
            teacher = new TrainingNetwork(real, given, Map.of(), false);
            student = new TrainingNetwork(coded, parameters, roundings, true);
        }

        double loss(float[] picture) {
            teacher.forward(picture);
            student.forward(picture);
            student.clearValues();
            double sum = 0;
            double objects = 0;
            for (String name : heads) {
                if (DistillationLoss.isHead(teacher.value(name))) {
                    objects += DistillationLoss.objects(teacher.value(name));
                }
            }
            for (String name : heads) {
                Value wanted = teacher.value(name);
                sum += DistillationLoss.isHead(wanted)
                        ? loss.head(student.value(name), wanted, objects)
                        : loss.value(student.value(name), wanted, heads.size());
            }
            for (String name : inside) {
                sum += loss.value(student.value(name), teacher.value(name), inside.size());
            }
            return sum;
        }

        double learn(List<float[]> batch) {
            student.clear();
            double sum = 0;
            for (float[] picture : batch) {
                sum += loss(picture);
                student.backward();
            }
            return sum;
        }
    }

    /**
     * A distillation.
     *
     * @param prepared the float network, as the quantiser prepared it
     * @param quantized what the quantiser made of it
     * @param pictures to learn from
     * @throws UnsupportedModelException if an operation has no gradient here, or a layer was left in float
     */
    public Distillation(Graph prepared, Graph quantized, CalibrationPictures pictures, Options options) {
        this.quantized = quantized;
        this.pictures = pictures;
        this.options = options;
        this.loss = new DistillationLoss((float) options.inside());
        if (pictures.size() < LEAST_PICTURES) {
            throw new UnsupportedModelException("cannot be tuned as a whole with " + pictures.size()
                    + " pictures; give " + LEAST_PICTURES + " or more, or leave tuning out");
        }
        List<String> products = new ArrayList<>();
        for (Node node : quantized.nodes()) {
            if (node.op() instanceof Op.Conv && quantized.quantization().containsKey(node.input(1))) {
                products.add(node.output());
            }
        }
        Graph coded = Subgraphs.resized(quantized, pictures.shape(), products);
        Graph real = Subgraphs.resized(prepared, pictures.shape(), products);
        this.parameters = TrainingNetwork.parameters(coded);
        Map<String, LayerParameters> given = TrainingNetwork.parameters(real);
        if (parameters.values().stream().anyMatch(p -> !p.isQuantized())) {
            throw new UnsupportedModelException("cannot be tuned as a whole, for a layer is left in float;"
                    + " leave tuning out");
        }
        round(coded);
        watch(coded, real);
        int count = options.threads() > 0 ? options.threads() : Runtime.getRuntime().availableProcessors();
        for (int i = 0; i < Math.min(count, BATCH); i++) {
            workers.add(new Worker(real, coded, given));
        }
        this.pool = Executors.newFixedThreadPool(workers.size(), Thread.ofPlatform().daemon().factory());
    }

    /** Values with the same codes share what is learned of them. */
    private void round(Graph coded) {
        coded.quantization().forEach((name, how) -> {
            if (how.isPerTensor() && !coded.constants().containsKey(name)) {
                roundings.put(name, roundings.values().stream().filter(other -> other.given().isSameAs(how)).findFirst()
                        .orElseGet(() -> new Rounding(how, how.bits() < 8)));
            }
        });
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

    /** Tunes the network. */
    public Result run(Listener listener) {
        // The workers multiply at the same time.
        Moments.useThreads(1);
        List<float[]> heldOut = new ArrayList<>();
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < pictures.size(); i++) {
            order.add(i);
        }
        for (int i = 0; i < HELD_OUT; i++) {
            int index = i * pictures.size() / HELD_OUT;
            order.remove(Integer.valueOf(index));
            // Other windows than those that the layers were fitted to, on which the given network looks too good.
            heldOut.add(picture(index, 2 * i + 2L));
        }
        int total = options.epochs() * ((order.size() + BATCH - 1) / BATCH);
        double before = trial(heldOut);
        listener.step(0, total, before);
        State kept = new State();
        double best = before;
        double last = before;
        SplittableRandom random = new SplittableRandom(20);
        int done = 0;
        for (int epoch = 0; epoch < options.epochs(); epoch++) {
            Collections.shuffle(order, new Random(random.nextLong()));
            for (int from = 0; from < order.size(); from += BATCH) {
                List<float[]> batch = new ArrayList<>();
                for (int i = from; i < Math.min(from + BATCH, order.size()); i++) {
                    batch.add(picture(order.get(i), random.nextLong()));
                }
                step(batch, 0.5 * (1 + Math.cos(Math.PI * done / total)));
                done++;
                listener.step(done, total, last);
            }
            last = trial(heldOut);
            listener.step(done, total, last);
            if (last < best) {
                best = last;
                kept = new State();
            }
        }
        kept.restore();
        return new Result(assembled(), before, best);
    }

    /** A window of a picture, as likely as not a mirror image. */
    private float[] picture(int index, long seed) {
        Shape shape = pictures.shape();
        float[] pixels = new float[Math.toIntExact(shape.elements())];
        pictures.read(index, seed, pixels);
        if ((seed & 1) == 0) {
            return pixels;
        }
        int width = (int) shape.dim(3);
        float[] mirrored = new float[pixels.length];
        for (int pixel = 0; pixel < pixels.length / 3; pixel++) {
            int to = pixel / width * width + width - 1 - pixel % width;
            System.arraycopy(pixels, 3 * pixel, mirrored, 3 * to, 3);
        }
        return mirrored;
    }

    private double trial(List<float[]> heldOut) {
        return spread(heldOut, (worker, part) -> part.stream().mapToDouble(worker::loss).reduce(0, Double::sum))
                / heldOut.size();
    }

    /** Has each worker do its part of the pictures, and adds up what comes of it. */
    private double spread(List<float[]> all, ToDoubleBiFunction<Worker, List<float[]>> work) {
        List<Future<Double>> running = new ArrayList<>();
        for (int i = 0; i < workers.size(); i++) {
            List<float[]> part = new ArrayList<>();
            for (int j = i; j < all.size(); j += workers.size()) {
                part.add(all.get(j));
            }
            Worker worker = workers.get(i);
            running.add(pool.submit(() -> work.applyAsDouble(worker, part)));
        }
        double sum = 0;
        try {
            for (Future<Double> each : running) {
                sum += each.get();
            }
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ModelException("tuning was interrupted");
        }
        return sum;
    }

    private void step(List<float[]> batch, double share) {
        spread(batch, Worker::learn);
        TrainingNetwork first = workers.getFirst().student;
        for (int i = 0; i < first.convolutions().size(); i++) {
            Convolution all = first.convolutions().get(i);
            for (Worker worker : workers.subList(1, workers.size())) {
                Convolution other = worker.student.convolutions().get(i);
                add(other.weightGradients, all.weightGradients);
                add(other.biasGradients, all.biasGradients);
            }
            LayerParameters layer = all.parameters();
            layer.step(all.weightGradients, all.biasGradients,
                    (float) (share * options.rate() * Math.pow(2, layer.bits() - 4)),
                    (float) (share * 0.4 * options.rate()));
        }
        Map<Rounding, Double> gradients = new LinkedHashMap<>();
        for (Worker worker : workers) {
            worker.student.values().forEach((name, value) -> {
                if (value.rounding != null && value.rounding.isLearned()) {
                    gradients.merge(value.rounding, value.stepGradient, Double::sum);
                }
            });
        }
        gradients.forEach((rounding, gradient) -> rounding.step(gradient.floatValue(),
                (float) (share * 0.2 * options.rate())));
    }

    private static void add(float[] from, float[] to) {
        for (int i = 0; i < to.length; i++) {
            to[i] += from[i];
        }
    }

    /** All that is learned, at one time. */
    private final class State {
        private final Map<String, float[][]> layers = new HashMap<>();
        private final Map<Rounding, Float> steps = new HashMap<>();

        State() {
            parameters.forEach((name, layer) -> layers.put(name, layer.saved()));
            roundings.values().forEach(rounding -> steps.put(rounding, rounding.parameter()));
        }

        void restore() {
            layers.forEach((name, saved) -> parameters.get(name).restore(saved));
            steps.forEach(Rounding::parameter);
        }
    }

    private Graph assembled() {
        Map<String, Tensor> constants = new HashMap<>(quantized.constants());
        Map<String, Quantization> quantization = new HashMap<>(quantized.quantization());
        List<Node> nodes = new ArrayList<>();
        for (Node node : quantized.nodes()) {
            LayerParameters layer = parameters.get(node.name());
            if (layer == null) {
                nodes.add(node);
                continue;
            }
            String bias = node.name() + ".bias.tuned";
            constants.put(node.input(1), layer.codes(constants.get(node.input(1))));
            constants.put(bias, Tensor.ofFloats(Shape.of(layer.rows()), layer.bias().clone()));
            nodes.add(node.withInputs(List.of(node.input(0), node.input(1), bias)));
        }
        quantization.replaceAll((name, how) -> !roundings.containsKey(name) ? how
                : new Quantization(Tensor.scalar(roundings.get(name).scale()), how.zeroPoint(), how.bits(),
                        how.signed(), how.narrow(), how.axis()));
        Set<String> used = new HashSet<>();
        nodes.forEach(node -> used.addAll(node.inputs()));
        nodes.forEach(node -> used.addAll(node.outputs()));
        constants.keySet().retainAll(used);
        return quantized.withNodes(nodes, constants, quantization);
    }

    @Override
    public void close() {
        pool.shutdownNow();
    }
}
