package dev.shrike.app.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import dev.shrike.app.bench.harness.Configuration;
import dev.shrike.app.bench.harness.NetworkContestant;
import dev.shrike.app.bench.rivals.Rival;
import dev.shrike.app.build.InputShapes;
import dev.shrike.graph.Graph;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.spi.BuildOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * What a72.sh runs in Java: files of a network for each column of its table, and one run of one of them between the
 * marks. Stands in the package of {@code shrike bench}, whose contestants these are; not part of the product.
 */
final class MarkedRun {
    private static final String RIVAL = Rival.ONNXRUNTIME.label();

    private MarkedRun() {}

    /**
     * {@code file MODEL SIZE COLUMN FOLDER} makes the file that a column runs and prints its path.
     * {@code run FILE SIZE COLUMN RUNS MARKS MAPS} runs it, marks the last run, and writes what lies where in memory.
     */
    public static void main(String[] args) throws Throwable {
        switch (args[0]) {
            case "file" -> System.out.println(file(Path.of(args[1]), Integer.parseInt(args[2]), args[3],
                    Path.of(args[4])));
            case "run" -> run(Path.of(args[1]), Integer.parseInt(args[2]), args[3],
                    new Marks(Integer.parseInt(args[4]), Path.of(args[5]), Path.of(args[6])));
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static Path file(Path model, int size, String column, Path folder) {
        Backend backend = Backends.usable(Backends.installed(), "cpu").getFirst();
        if (backend.reads(model)) {
            return model;
        }
        String name = model.getFileName().toString().replaceFirst("\\.onnx$", "");
        ModelVariants variants = new ModelVariants(model, name, size, size, Optional.empty(), folder, false, backend);
        if (column.startsWith(RIVAL)) {
            return column.endsWith(Rival.INT8) ? variants.rivalQuantized() : variants.rivalFloat();
        }
        if (!column.equals(variants.ownPrecision())) {
            return variants.ours(column, 1);
        }
        Graph graph = OnnxModels.read(model);
        Path built = folder.resolve(name + "-" + size + "-" + column + backend.extension());
        backend.build(GraphPasses.forInference(graph, InputShapes.of(graph, size, size)), built, BuildOptions.UNTUNED);
        return built;
    }

    /** Both engines run the network alone, on noise, from its input to the decoded boxes. */
    private static void run(Path file, int size, String column, Marks marks) throws Throwable {
        if (column.startsWith(RIVAL)) {
            onnxRuntime(file, size, marks);
            return;
        }
        Configuration configuration = new Configuration("cpu", file, column, size, size, 1, 1, Optional.empty());
        try (NetworkContestant contestant = Contestants.network(configuration)) {
            marks.around(contestant::run);
            System.out.println(contestant.description());
        }
    }

    /** Not by the rival of the bench, whose letterbox wants OpenCV. */
    private static void onnxRuntime(Path file, int size, Marks marks) throws Throwable {
        SplittableRandom random = new SplittableRandom(1);
        FloatBuffer noise = ByteBuffer.allocateDirect(3 * size * size * Float.BYTES).order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        for (int i = 0; i < noise.capacity(); i++) {
            noise.put(i, random.nextInt(256) / 255f);
        }
        OrtEnvironment environment = OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, "a72");
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            options.setInterOpNumThreads(1);
            try (OrtSession session = environment.createSession(file.toString(), options);
                    OnnxTensor input = OnnxTensor.createTensor(environment, noise, new long[] {1, 3, size, size})) {
                Map<String, OnnxTensor> inputs = Map.of(session.getInputNames().iterator().next(), input);
                marks.around(() -> session.run(inputs).close());
                System.out.println("ONNX Runtime " + environment.getVersion());
            }
        }
    }

    /** Runs of which the last one stands between the marks. */
    private record Marks(int runs, Path library, Path maps) {
        private interface Run {
            void run() throws OrtException;
        }

        void around(Run run) throws Throwable {
            MethodHandle attach = mark("mark_attach");
            MethodHandle begin = mark("mark_begin");
            MethodHandle end = mark("mark_end");
            for (int i = 1; i < runs; i++) {
                run.run();
            }
            attach.invokeExact();
            begin.invokeExact();
            run.run();
            end.invokeExact();
            Files.copy(Path.of("/proc/self/maps"), maps, StandardCopyOption.REPLACE_EXISTING);
        }

        private MethodHandle mark(String name) {
            return Linker.nativeLinker().downcallHandle(
                    SymbolLookup.libraryLookup(library, Arena.global()).findOrThrow(name), FunctionDescriptor.ofVoid());
        }
    }
}
