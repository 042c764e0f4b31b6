package dev.shrike.cpu;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.spi.StepTime;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/**
 * Latency of the float path against ONNX Runtime, the two taken in turn in one run.
 *
 * <p>{@code FloatBench [--rounds N] [--threads 1,2] [--layers] MODEL.onnx[@SIZE] …}; prints a row for each model and
 * number of threads: the medians, the spread (10th to 90th percentile) and the ratio of each pair's times.
 */
public final class FloatBench {
    private record Job(Path model, int size) {}

    private FloatBench() {}

    public static void main(String[] args) throws OrtException {
        int rounds = 30;
        List<Integer> threads = List.of(1, 2);
        boolean layers = false;
        List<Job> jobs = new ArrayList<>();
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--rounds" -> rounds = Integer.parseInt(args[++i]);
                case "--threads" ->
                    threads = Arrays.stream(args[++i].split(",")).map(Integer::valueOf).toList();
                case "--layers" -> layers = true;
                default -> jobs.add(job(args[i]));
            }
        }
        if (jobs.isEmpty()) {
            System.err.println("usage: FloatBench [--rounds N] [--threads 1,2] [--layers] MODEL.onnx[@SIZE] ...");
            System.exit(2);
        }
        System.out.printf("%-28s %5s %8s | %9s %17s | %9s %17s | %6s %13s%n", "model", "size", "threads", "shrike ms",
                "p10-p90", "ORT ms", "p10-p90", "ratio", "p10-p90");
        for (Job job : jobs) {
            for (int count : threads) {
                compare(job, count, rounds, layers);
            }
        }
    }

    private static Job job(String text) {
        int at = text.lastIndexOf('@');
        return at < 0 ? new Job(Path.of(text), 640)
                : new Job(Path.of(text.substring(0, at)), Integer.parseInt(text.substring(at + 1)));
    }

    private static void compare(Job job, int threads, int rounds, boolean layers) throws OrtException {
        Graph graph = OnnxModels.read(job.model());
        String input = graph.inputs().getFirst().name();
        Shape shape = Shape.of(1, 3, job.size(), job.size());
        ExecutorOptions options = ExecutorOptions.DEFAULT.withThreads(threads).withInputShapes(Map.of(input, shape));
        float[] pixels = new float[3 * job.size() * job.size()];
        Random random = new Random(1);
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = random.nextInt(256) / 255f;
        }
        try (GraphExecutor ours = new CpuBackend().open(graph, options);
                OrtEnvironment environment = OrtEnvironment.getEnvironment();
                OrtSession.SessionOptions ortOptions = new OrtSession.SessionOptions()) {
            fill(ours.inputs().getFirst(), pixels);
            ortOptions.setIntraOpNumThreads(threads);
            ortOptions.setInterOpNumThreads(1);
            // ONNX Runtime's workers would otherwise spin into our turn on the same cores.
            ortOptions.addConfigEntry("session.intra_op.allow_spinning", System.getProperty("bench.spin", "1"));
            ortOptions.addConfigEntry("session.force_spinning_stop", "1");
            try (OrtSession theirs = environment.createSession(job.model().toString(), ortOptions);
                    OnnxTensor tensor = OnnxTensor.createTensor(environment, direct(pixels), shape.toArray())) {
                run(job, threads, rounds, ours, theirs, Map.of(input, tensor));
            }
            if (layers) {
                printLayers(ours);
            }
        }
    }

    private static void run(
            Job job, int threads, int rounds, GraphExecutor ours, OrtSession theirs, Map<String, OnnxTensor> feed)
            throws OrtException {
        double[] a = new double[rounds];
        double[] b = new double[rounds];
        for (int i = -5; i < rounds; i++) {
            long t0 = System.nanoTime();
            ours.run();
            long t1 = System.nanoTime();
            try (OrtSession.Result _ = theirs.run(feed)) {
                long t2 = System.nanoTime();
                if (i >= 0) {
                    a[i] = (t1 - t0) / 1e6;
                    b[i] = (t2 - t1) / 1e6;
                }
            }
        }
        double[] ratio = new double[rounds];
        Arrays.setAll(ratio, i -> a[i] / b[i]);
        System.out.printf(Locale.ROOT, "%-28s %5d %8d | %9.2f %8.2f-%8.2f | %9.2f %8.2f-%8.2f | %6.2f %6.2f-%6.2f%n",
                job.model().getFileName(), job.size(), threads, at(a, 0.5), at(a, 0.1), at(a, 0.9), at(b, 0.5),
                at(b, 0.1), at(b, 0.9), at(ratio, 0.5), at(ratio, 0.1), at(ratio, 0.9));
    }

    static void printLayers(GraphExecutor executor) {
        List<StepTime> sums = null;
        long[] best = null;
        for (int i = 0; i < 10; i++) {
            executor.run();
            sums = executor.times();
            if (best == null) {
                best = new long[sums.size()];
                Arrays.fill(best, Long.MAX_VALUE);
            }
            for (int s = 0; s < best.length; s++) {
                best[s] = Math.min(best[s], sums.get(s).nanos());
            }
        }
        List<Integer> order = new ArrayList<>();
        for (int s = 0; s < best.length; s++) {
            order.add(s);
        }
        long[] times = best;
        order.sort(Comparator.comparingLong(s -> -times[s]));
        for (int s : order) {
            StepTime step = sums.get(s);
            System.out.printf(Locale.ROOT, "  %8.3f ms %7.1f GMAC/s  %s  [%s]%n", times[s] / 1e6,
                    step.macs() / (double) times[s], step.kernel(), step.node());
        }
    }

    static FloatBuffer direct(float[] values) {
        FloatBuffer buffer =
                ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder()).asFloatBuffer();
        buffer.put(values).rewind();
        return buffer;
    }

    /** Writes NCHW values into a binding of any strides. */
    static void fill(Binding binding, float[] values) {
        MemorySegment memory = binding.memory();
        for (int i = 0; i < values.length; i++) {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, offset(binding, i), values[i]);
        }
    }

    /** Reads a binding of any strides in row-major order. */
    static float[] read(Binding binding) {
        float[] values = new float[binding.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = binding.memory().getAtIndex(ValueLayout.JAVA_FLOAT, offset(binding, i));
        }
        return values;
    }

    private static long offset(Binding binding, int index) {
        long at = 0;
        int rest = index;
        for (int d = binding.dims().size() - 1; d >= 0; d--) {
            at += (long) (rest % binding.dims().get(d)) * binding.strides().get(d);
            rest /= binding.dims().get(d);
        }
        return at;
    }

    static double at(double[] values, double quantile) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[(int) Math.round(quantile * (sorted.length - 1))];
    }
}
