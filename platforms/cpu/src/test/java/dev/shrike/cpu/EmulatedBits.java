package dev.shrike.cpu;

import dev.shrike.cpu.steps.CpuSettings;
import dev.shrike.graph.Activation;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Bits of whole quantised networks, from one machine to another where the scalar evaluation would take too long:
 * <ul>
 * <li>{@code EmulatedBits write MODEL.onnx SIDE FOLDER}: builds the float detector at ten widths for images of that
 * side, and notes what the scalar integer evaluation gives for one of them: SHA-256 of the last products' results and
 * of values between, and the floats behind the head; <li>{@code EmulatedBits check FOLDER}: runs the built files and
 * compares: bits of everything noted, by the plan as it always is and by one whose values between are read, and the
 * floats within 1e-3 of the larger of 1 and their size; <li>{@code EmulatedBits random COUNT SEED}: that many random
 * quantised networks against the scalar evaluation.
 * </ul>
 */
final class EmulatedBits {
    private static final String WIDTHS = "8x8,8x8f,8x8d,4x8,4x8d,4x4,4x4f,3x3,2x2,1x1";
    private static final int BETWEEN = 8;
    private static final float TOLERANCE = 1e-3f;

    private EmulatedBits() {}

    public static void main(String[] args) throws IOException {
        switch (args[0]) {
            case "write" -> write(Path.of(args[1]), Integer.parseInt(args[2]), Path.of(args[3]));
            case "check" -> check(Path.of(args[1]));
            case "random" -> random(Integer.parseInt(args[1]), Long.parseLong(args[2]));
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    // --- on the machine that evaluates -----------------------------------------------------------------------------

    private static void write(Path model, int side, Path folder) throws IOException {
        Graph real = OnnxModels.read(model);
        List<float[]> images = List.of(image(side, 1), image(side, 2));
        Files.write(folder.resolve("image"), bytes(images.getFirst()));
        for (QuantizedModels.Width width : QuantizedModels.Width.list(WIDTHS)) {
            Path file = folder.resolve(width + ".shrike");
            Graph quantized = QuantizedModels.quantize(real, Shape.of(1, 3, side, side), images, width);
            CpuBackend backend = new CpuBackend();
            backend.build(GraphPasses.forInference(quantized, Map.of()), file);
            Graph graph = backend.load(file);
            Map<String, String> hashes = new TreeMap<>();
            EngineBits.evaluate(graph, images.getFirst(), wanted(graph))
                    .forEach((name, tensor) -> hashes.put(name, hash(tensor.toFloats())));
            List<String> lines = new ArrayList<>();
            hashes.forEach((name, hash) -> lines.add(hash + " " + name));
            Files.write(beside(file, ".bits"), lines);
            Map<String, float[]> floats =
                    EngineBits.run(graph, images.getFirst(), Set.of(), EngineBits.Way.USUAL);
            Files.write(beside(file, ".floats"), bytes(floats.get(graph.outputs().getFirst().name())));
            System.out.println(file.getFileName() + ": " + Files.size(file) + " bytes, " + lines.size() + " values");
        }
    }

    /** A smooth image with some noise, channel by channel from 0 to 1. */
    private static float[] image(int side, int seed) {
        Random random = new Random(seed);
        float[] pixels = new float[3 * side * side];
        for (int i = 0; i < pixels.length; i++) {
            int channel = i / (side * side);
            double x = (double) (i % side) / side;
            double y = (double) (i / side % side) / side;
            double wave = Math.sin((5 + seed + channel) * x + 7 * y * y) + Math.cos(9 * x * y + channel + seed);
            pixels[i] = Math.round(Math.clamp(127 + 50 * wave + 12 * random.nextGaussian(), 0, 255)) / 255f;
        }
        return pixels;
    }

    /** What the last products give, and every so-manieth quantised value. */
    private static Set<String> wanted(Graph graph) {
        Set<String> names = new TreeSet<>(last(graph));
        int seen = 0;
        for (Node node : graph.nodes()) {
            if (graph.quantization().containsKey(node.output()) && seen++ % BETWEEN == 0) {
                names.add(node.output());
            }
        }
        return names;
    }

    private static Set<String> last(Graph graph) {
        Set<String> names = new TreeSet<>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Conv conv && conv.activation().equals(Activation.NONE)
                    && graph.quantization().containsKey(node.input(1))
                    && !graph.quantization().containsKey(node.output())) {
                names.add(node.output());
            }
        }
        return names;
    }

    // --- on the other machine --------------------------------------------------------------------------------------

    private static void check(Path folder) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(folder)) {
            files = all.filter(file -> file.toString().endsWith(".shrike")).sorted().toList();
        }
        float[] input = floats(Files.readAllBytes(folder.resolve("image")));
        for (Path file : files) {
            Map<String, String> expected = new TreeMap<>();
            for (String line : Files.readAllLines(beside(file, ".bits"))) {
                expected.put(line.substring(line.indexOf(' ') + 1), line.substring(0, line.indexOf(' ')));
            }
            Graph graph = new CpuBackend().load(file);
            Set<String> last = last(graph);
            Map<String, float[]> usual = EngineBits.run(graph, input, last, EngineBits.Way.USUAL);
            requireBits(expected, last, usual, file + ", the usual plan");
            Map<String, float[]> all = EngineBits.run(graph, input, expected.keySet(), EngineBits.Way.USUAL);
            requireBits(expected, expected.keySet(), all, file + ", values between");
            float worst = difference(floats(Files.readAllBytes(beside(file, ".floats"))),
                    usual.get(graph.outputs().getFirst().name()));
            if (!(worst <= TOLERANCE)) {
                throw new IllegalStateException(file + ": the floats differ by " + worst);
            }
            System.out.println(file.getFileName() + ": the same bits of " + expected.size() + " values; floats behind"
                    + " them differ by " + worst + " at most");
        }
        if (files.isEmpty()) {
            throw new IllegalStateException("no built file in " + folder);
        }
    }

    private static void requireBits(
            Map<String, String> expected, Set<String> names, Map<String, float[]> found, String what) {
        for (String name : names) {
            if (!expected.get(name).equals(hash(found.get(name)))) {
                throw new IllegalStateException(what + ": other bits of '" + name + "'");
            }
        }
    }

    private static float difference(float[] expected, float[] found) {
        if (expected.length != found.length) {
            return Float.POSITIVE_INFINITY;
        }
        float worst = 0;
        for (int i = 0; i < expected.length; i++) {
            worst = Math.max(worst, Math.abs(expected[i] - found[i]) / Math.max(1, Math.abs(expected[i])));
        }
        return worst;
    }

    private static void random(int count, long seed) {
        int outputs = 0;
        CpuSettings.CodeKernel[] kernels = CpuSettings.CodeKernel.values();
        for (int i = 0; i < count; i++) {
            outputs += QuantizedPlanTest.compare(seed + i, kernels[i % kernels.length]);
            outputs += QuantizedPlanTest.compareDynamic(seed + i, kernels[i % kernels.length]);
        }
        System.out.println(2 * count + " random networks: the same bits of " + outputs + " results");
    }

    // --- files -----------------------------------------------------------------------------------------------------

    private static Path beside(Path file, String ending) {
        return Path.of(file + ending);
    }

    private static byte[] bytes(float[] values) {
        ByteBuffer buffer = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        buffer.asFloatBuffer().put(values);
        return buffer.array();
    }

    private static float[] floats(byte[] bytes) {
        float[] values = new float[bytes.length / 4];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
        return values;
    }

    private static String hash(float[] values) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes(values)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
