package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.cpu.file.ShrikeFile;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Files that are overwritten in place or cut off while a model is read from them, or is in use. A mapped page that has
 * gone ends the process by SIGBUS as soon as native code, such as zlib's, touches it: then this test dies with its JVM.
 */
class ReplacedFileTest {
    private static final int ROUNDS = 60;
    private static final int WEIGHTS = 1 << 20;

    @TempDir
    private Path folder;

    /** A table that deflates and one that does not, added to the input. */
    private static Graph graph() {
        Random random = new Random(3);
        float[] table = new float[WEIGHTS];
        float[] noise = new float[WEIGHTS];
        for (int i = 0; i < WEIGHTS; i++) {
            table[i] = i / 64 % 64;
            noise[i] = random.nextFloat();
        }
        Shape shape = Shape.of(1, 1, 1024, 1024);
        Op add = new Op.Binary(Op.Binary.Kind.ADD);
        return new Graph("sum", List.of(new ValueInfo("x", DataType.FLOAT32, shape)),
                List.of(new ValueInfo("y", DataType.FLOAT32, shape)),
                List.of(new Node("one", add, List.of("x", "table"), List.of("z")),
                        new Node("two", add, List.of("z", "noise"), List.of("y"))),
                Map.of("table", Tensor.ofFloats(shape, table), "noise", Tensor.ofFloats(shape, noise)), Map.of(),
                Map.of());
    }

    private static float[] run(Graph graph) {
        try (GraphExecutor executor = new CpuBackend().open(graph, ExecutorOptions.DEFAULT.withThreads(1))) {
            Binding input = executor.inputs().getFirst();
            FloatBench.fill(input, new float[input.elements()]);
            executor.run();
            return FloatBench.read(executor.outputs().getFirst());
        }
    }

    /** Cuts the file off at random places and writes it again, as fast as it can. */
    private static void disturb(Path file, byte[] all, AtomicBoolean stop) {
        Random random = new Random(1);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            while (!stop.get()) {
                channel.truncate(random.nextInt(4) == 0 ? 0 : random.nextInt(all.length));
                Thread.onSpinWait();
                for (ByteBuffer rest = ByteBuffer.wrap(all); rest.hasRemaining();) {
                    channel.write(rest, rest.position());
                }
                Thread.sleep(random.nextInt(4));
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private void readsWholeOrRefuses(Path file, Callable<Graph> reading) throws Exception {
        byte[] all = Files.readAllBytes(file);
        float[] right = reading.call().constants().get("noise").toFloats();
        AtomicBoolean stop = new AtomicBoolean();
        Thread writer = Thread.ofPlatform().start(() -> disturb(file, all, stop));
        int whole = 0;
        int refused = 0;
        try {
            for (int i = 0; i < ROUNDS; i++) {
                try {
                    Graph graph = reading.call();
                    whole++;
                    // ONNX has no checksum: zeros may stand where the file was cut off, but each read sees the same.
                    Tensor noise = graph.constants().get("noise");
                    assertArrayEquals(noise.toFloats(), noise.toFloats());
                    if (file.toString().endsWith(".shrike")) {
                        assertArrayEquals(right, noise.toFloats());
                    }
                } catch (ModelException e) {
                    assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
                    refused++;
                }
            }
        } finally {
            stop.set(true);
            writer.join();
        }
        System.out.println(file.getFileName() + " while it is overwritten: " + whole + " whole, " + refused
                + " refused");
    }

    @Test
    void aBuiltModelThatIsOverwrittenWhileItIsRead() throws Exception {
        Path file = folder.resolve("sum.shrike");
        new ShrikeFile(graph(), Map.of()).write(file);
        readsWholeOrRefuses(file, () -> ShrikeFile.read(file).graph());
    }

    @Test
    void anOnnxModelThatIsOverwrittenWhileItIsRead() throws Exception {
        Path file = folder.resolve("sum.onnx");
        OnnxModels.write(graph(), file);
        readsWholeOrRefuses(file, () -> OnnxModels.read(file));
    }

    @Test
    void whatWasReadStaysWhatItWas() throws IOException {
        float[] right = run(graph());
        Path built = folder.resolve("sum.shrike");
        Path onnx = folder.resolve("sum.onnx");
        new ShrikeFile(graph(), Map.of()).write(built);
        OnnxModels.write(graph(), onnx);
        Graph ofBuilt = ShrikeFile.read(built).graph();
        Graph ofOnnx = OnnxModels.read(onnx);
        for (Path file : List.of(built, onnx)) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(0);
            }
        }
        assertArrayEquals(right, run(ofBuilt));
        assertArrayEquals(right, run(ofOnnx));
    }
}
