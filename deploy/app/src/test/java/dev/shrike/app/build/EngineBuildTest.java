package dev.shrike.app.build;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.UnsupportedModelException;
import dev.shrike.app.Console;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Availability;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.spi.BatchProfile;
import dev.shrike.spi.BuildOptions;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code shrike build -o MODEL.engine} hands to an engine that builds on the device. */
class EngineBuildTest {
    @TempDir
    private Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final Device device = new Device();

    /** Builds on the device and notes what it was given. */
    private static final class Device implements Backend {
        private final List<Graph> graphs = new ArrayList<>();
        private final List<BuildOptions> options = new ArrayList<>();

        @Override
        public String name() {
            return "device";
        }

        @Override
        public Availability probe() {
            return new Availability.Available("always");
        }

        @Override
        public int rank() {
            return 0;
        }

        @Override
        public boolean isPortable() {
            return false;
        }

        @Override
        public String extension() {
            return ".engine";
        }

        @Override
        public GraphExecutor open(Graph graph, ExecutorOptions how) {
            throw new AssertionError("the build is the trial");
        }

        @Override
        public List<String> build(Graph graph, Path file, BuildOptions how) {
            graphs.add(graph);
            options.add(how);
            try {
                Files.writeString(file, "built");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return List.of("an engine of batches");
        }
    }

    private Path model(int batch, int side) throws IOException {
        Graph graph = new Graph("net",
                List.of(new ValueInfo("images", DataType.FLOAT32, Shape.of(batch, 3, side, side))),
                List.of(new ValueInfo("output", DataType.FLOAT32, Shape.of(batch, 2, side, side))),
                List.of(new Node("conv", new Op.Conv(Window.square(1, 1, 0), 1, Activation.NONE),
                        List.of("images", "w"), List.of("output"))),
                Map.of("w", Tensor.ofFloats(Shape.of(2, 3, 1, 1), 1, 2, 3, 4, 5, 6)), Map.of(), Map.of());
        return Files.write(folder.resolve("net.onnx"), OnnxModels.toBytes(graph));
    }

    private int run(Path model, int size, BuildRequest.Engine engine) {
        Console console = new Console(out, new PrintStream(err, true, StandardCharsets.UTF_8), false, false);
        BuildRequest request = new BuildRequest(model.toString(), folder.resolve("net.engine"), size, size,
                Optional.empty(), engine, new BuildRequest.Kernels(true, ""), 0, false, false);
        return new BuildRun(console, new NoModels(), request, List.of(device)).run();
    }

    /** A store without models. */
    private static final class NoModels implements ModelStore {
        @Override
        public List<String> names() {
            return List.of();
        }

        @Override
        public Path model(String name, int size) {
            throw new AssertionError("no model was named");
        }

        @Override
        public List<Path> samples() {
            return List.of();
        }
    }

    @Test
    void theBatchStaysOpenAndTheSizeIsFixed() throws IOException {
        BatchProfile batches = new BatchProfile(1, 4, 8);
        assertEquals(0, run(model(-1, -1), 96, new BuildRequest.Engine(Optional.of(batches), Optional.empty())));
        assertEquals(Shape.of(-1, 3, 96, 96), device.graphs.getFirst().inputs().getFirst().shape());
        assertEquals(Optional.of(batches), device.options.getFirst().batches());
        assertEquals(Optional.empty(), device.options.getFirst().calibration());
        assertTrue(err.toString(StandardCharsets.UTF_8).contains("an engine of batches"), err.toString());
        assertTrue(out.toString(StandardCharsets.UTF_8).contains("net.engine: "), out.toString());
    }

    @Test
    void aFixedBatchStaysAsItIs() throws IOException {
        assertEquals(0, run(model(4, 64), 0, BuildRequest.Engine.NONE));
        assertEquals(Shape.of(4, 3, 64, 64), device.graphs.getFirst().inputs().getFirst().shape());
        assertEquals(Optional.empty(), device.options.getFirst().batches());
    }

    @Test
    void theCpuRefusesWhatIsForEngines() throws IOException {
        Backend cpu = Backends.installed().stream().filter(one -> one.name().equals("cpu")).findFirst().orElseThrow();
        Graph graph = OnnxModels.read(model(1, 64));
        Path file = folder.resolve("net.shrike");
        for (BuildOptions options : List.of(BuildOptions.UNTUNED.withBatches(new BatchProfile(1, 4, 8)),
                BuildOptions.TUNED.withCalibration(new BuildOptions.Calibration(folder, 7)))) {
            String message = assertThrows(UnsupportedModelException.class, () -> cpu.build(graph, file, options))
                    .getMessage();
            assertTrue(message.contains("one image at a time") && message.contains(".engine"), message);
        }
        assertFalse(Files.exists(file));
    }

    @Test
    void imagesForRangesAreHandedOn() throws IOException {
        BuildOptions.Calibration images = new BuildOptions.Calibration(folder, 7);
        assertEquals(0, run(model(1, 64), 0, new BuildRequest.Engine(Optional.empty(), Optional.of(images))));
        assertEquals(Optional.of(images), device.options.getFirst().calibration());
    }
}
