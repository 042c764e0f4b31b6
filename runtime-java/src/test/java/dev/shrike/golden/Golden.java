package dev.shrike.golden;

import dev.shrike.Frame;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Golden values, and the inputs that they belong to. {@code golden.py} beside them computes them from the same inputs
 * in plain Python with nothing of this product: {@code python3 runtime-java/src/test/resources/golden/golden.py}.
 */
public final class Golden {
    /** Width and height of the small detector's input. */
    public static final int SIDE = 64;

    private Golden() {}

    /** A box in pixels of the input. */
    public record Box(int classId, float score, float x1, float y1, float x2, float y2) {
        static Box of(String line) {
            String[] words = line.split(" ");
            float[] numbers = new float[words.length];
            for (int i = 0; i < words.length; i++) {
                numbers[i] = Float.parseFloat(words[i]);
            }
            return new Box((int) numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
        }

        /** The largest difference of two boxes' edges; infinite if class or score are others. */
        public double distance(Box other) {
            if (classId != other.classId || Math.abs(score - other.score) > 2e-5) {
                return Double.POSITIVE_INFINITY;
            }
            return Math.max(Math.max(Math.abs(x1 - other.x1), Math.abs(y1 - other.y1)),
                    Math.max(Math.abs(x2 - other.x2), Math.abs(y2 - other.y2)));
        }
    }

    /**
     * Boxes best first.
     *
     * @param candidates how many had a score above 0.25
     * @param kept those that non-maximum suppression leaves at an IoU of 0.45
     */
    public record Boxes(int candidates, List<Box> kept) {}

    /** The lines of a file of golden values. */
    static List<String> lines(String name) {
        try (InputStream file = Golden.class.getResourceAsStream("/golden/" + name)) {
            return new String(file.readAllBytes(), StandardCharsets.US_ASCII).lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The boxes of a file of golden values. */
    public static Boxes boxes(String name) {
        List<String> lines = lines(name);
        return new Boxes(Integer.parseInt(lines.getFirst()),
                lines.stream().skip(1).map(Box::of).toList());
    }

    /** The linear congruential generator of Numerical Recipes: the upper 24 bits as a fraction. */
    static final class Generator {
        private int state;

        Generator(int seed) {
            state = seed;
        }

        double next() {
            state = state * 1664525 + 1013904223;
            return (state >>> 8) / 0x1p24;
        }
    }

    /** Red, green or blue of a smooth image, 0 to 255. */
    static int pixel(int x, int y, int channel) {
        int wave = (3 * x + 5 * y + 60 * channel) % 512;
        return wave < 256 ? wave : 511 - wave;
    }

    static Frame smooth(int width, int height) {
        Frame frame = Frame.allocate(width, height);
        for (int i = 0; i < width * height; i++) {
            for (int channel = 0; channel < 3; channel++) {
                frame.pixels().set(ValueLayout.JAVA_BYTE, 3L * i + 2 - channel,
                        (byte) pixel(i % width, i / width, channel));
            }
        }
        return frame;
    }

    /**
     * A YOLOv5 in small and an image that fits its input; {@code detector.txt} has what it finds.
     *
     * @param graph ends in three raw heads
     * @param image 8x8 blocks of one colour each
     */
    public record Detection(Graph graph, Frame image) {}

    private record Layer(String name, String source, int kernel, int stride, int outputs, boolean silu) {}

    private static final List<Layer> LAYERS = List.of(new Layer("stem", "images", 6, 2, 8, true),
            new Layer("p2", "stem", 3, 2, 12, true), new Layer("p3", "p2", 3, 2, 16, true),
            new Layer("p4", "p3", 3, 2, 16, true), new Layer("p5", "p4", 3, 2, 16, true),
            new Layer("head3", "p3", 1, 1, 21, false), new Layer("head4", "p4", 1, 1, 21, false),
            new Layer("head5", "p5", 1, 1, 21, false));

    /** The small detector and its image. */
    public static Detection detection() {
        Generator generator = new Generator(53);
        Frame image = blocks(generator);
        List<Node> nodes = new ArrayList<>();
        Map<String, Tensor> constants = new HashMap<>();
        Map<String, Integer> channels = new HashMap<>(Map.of("images", 3));
        List<ValueInfo> outputs = new ArrayList<>();
        for (Layer layer : LAYERS) {
            int depth = channels.get(layer.source());
            float[] weights = new float[layer.outputs() * depth * layer.kernel() * layer.kernel()];
            double gain = 6 / Math.sqrt(depth * layer.kernel() * layer.kernel());
            for (int i = 0; i < weights.length; i++) {
                weights[i] = (float) ((generator.next() - 0.5) * gain);
            }
            float[] bias = new float[layer.outputs()];
            for (int i = 0; i < bias.length; i++) {
                bias[i] = (float) (generator.next() - (!layer.silu() && i % 7 == 4 ? 1.5 : 0.5));
            }
            constants.put(layer.name() + ".weight", Tensor.ofFloats(
                    Shape.of(layer.outputs(), depth, layer.kernel(), layer.kernel()), weights));
            constants.put(layer.name() + ".bias", Tensor.ofFloats(Shape.of(layer.outputs()), bias));
            String result = layer.silu() ? layer.name() + ".conv" : layer.name();
            nodes.add(new Node(result, new Op.Conv(Window.square(layer.kernel(), layer.stride(),
                    (layer.kernel() - 1) / 2), 1, Activation.NONE),
                    List.of(layer.source(), layer.name() + ".weight", layer.name() + ".bias"), List.of(result)));
            if (layer.silu()) {
                nodes.add(new Node(layer.name(), Op.Unary.of(Op.Unary.Kind.SILU), List.of(result),
                        List.of(layer.name())));
            } else {
                int side = 8 >> outputs.size();
                outputs.add(new ValueInfo(layer.name(), DataType.FLOAT32, Shape.of(1, layer.outputs(), side, side)));
            }
            channels.put(layer.name(), layer.outputs());
        }
        Graph graph = new Graph("golden", List.of(new ValueInfo("images", DataType.FLOAT32,
                Shape.of(1, 3, SIDE, SIDE))), outputs, nodes, constants, Map.of(), Map.of("names", "['a', 'b']"));
        return new Detection(graph, image);
    }

    private static Frame blocks(Generator generator) {
        Frame frame = Frame.allocate(SIDE, SIDE);
        for (int block = 0; block < 64; block++) {
            for (int channel = 0; channel < 3; channel++) {
                byte value = (byte) (int) (generator.next() * 256);
                for (int i = 0; i < 64; i++) {
                    long at = (block / 8 * 8L + i / 8) * SIDE + block % 8 * 8 + i % 8;
                    frame.pixels().set(ValueLayout.JAVA_BYTE, 3 * at + 2 - channel, value);
                }
            }
        }
        return frame;
    }
}
