package dev.shrike.cpu;

import ai.onnxruntime.OrtException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Latency of the float path against ONNX Runtime and OpenCV, taken in turn in one run.
 *
 * <p>{@code FloatBench [--rounds N] [--threads 1,2] [--layers] MODEL.onnx[@SIZE] …}; prints a table for each model and
 * number of threads (see {@link Contest}), the scaling from one number to the next and, if wanted, a row a layer.
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
        for (Job job : jobs) {
            compare(job, threads, rounds, layers);
        }
    }

    private static Job job(String text) {
        int at = text.lastIndexOf('@');
        return at < 0 ? new Job(Path.of(text), 640)
                : new Job(Path.of(text.substring(0, at)), Integer.parseInt(text.substring(at + 1)));
    }

    private static void compare(Job job, List<Integer> threads, int rounds, boolean layers) throws OrtException {
        Graph graph = OnnxModels.read(job.model());
        Shape shape = Shape.of(1, 3, job.size(), job.size());
        float[] pixels = noise(shape);
        Map<String, Double> before = null;
        for (int i = 0; i < threads.size(); i++) {
            int count = threads.get(i);
            ExecutorOptions options = ExecutorOptions.DEFAULT.withThreads(count)
                    .withInputShapes(Map.of(graph.inputs().getFirst().name(), shape));
            try (Contest contest = new Contest()) {
                contest.add("ORT fp32", Rivals.onnxRuntime(job.model(), count, pixels, shape));
                Rivals.addOpenCv(contest, job.model(), count, pixels, shape, false);
                GraphExecutor ours = enter(contest, "shrike fp32", graph, options, pixels);
                contest.measure(rounds);
                contest.print(title(job.model(), job.size(), count), List.of("ORT fp32", "OpenCV fp32"));
                Map<String, Double> medians = contest.medians();
                if (before != null) {
                    Contest.printScaling(threads.get(i - 1), before, count, medians);
                }
                before = medians;
                if (layers) {
                    LayerTable table = new LayerTable();
                    table.add("shrike fp32", ours);
                    Map<String, Double> rivals = new LinkedHashMap<>(medians);
                    rivals.remove("shrike fp32");
                    table.print(rivals);
                }
            }
        }
    }

    static String title(Path model, long size, int threads) {
        return model.getFileName() + " at " + size + ", " + threads + (threads == 1 ? " thread" : " threads");
    }

    /** Opens the network, fills its input and adds it to the contest, which closes it. */
    public static GraphExecutor enter(
            Contest contest, String name, Graph graph, ExecutorOptions options, float[] pixels) {
        GraphExecutor executor = new CpuBackend().open(graph, options);
        fill(executor.inputs().getFirst(), pixels);
        contest.add(name, new Contest.Contestant() {
            @Override
            public void run() {
                executor.run();
            }

            @Override
            public void close() {
                executor.close();
            }
        });
        return executor;
    }

    /** An image of noise, 0 to 1 in steps of 1/255. */
    static float[] noise(Shape shape) {
        float[] pixels = new float[Math.toIntExact(shape.elements())];
        Random random = new Random(1);
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = random.nextInt(256) / 255f;
        }
        return pixels;
    }

    static FloatBuffer direct(float[] values) {
        FloatBuffer buffer =
                ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder()).asFloatBuffer();
        buffer.put(values).rewind();
        return buffer;
    }

    /** Writes NCHW values into a binding of any strides. */
    public static void fill(Binding binding, float[] values) {
        MemorySegment memory = binding.memory();
        for (int i = 0; i < values.length; i++) {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, offset(binding, i), values[i]);
        }
    }

    /** Reads a binding of any strides in row-major order. */
    public static float[] read(Binding binding) {
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
}
