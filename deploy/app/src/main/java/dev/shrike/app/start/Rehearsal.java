package dev.shrike.app.start;

import dev.shrike.Frame;
import dev.shrike.app.ExitCode;
import dev.shrike.app.Main;
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
import dev.shrike.vision.Images;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/**
 * What the JVM is shown while it writes the cache that later starts are quicker with (JEP 483): the commands that
 * people start most, on a small made-up network. The launcher runs it; the exit code is 0 if all of them succeeded.
 */
public final class Rehearsal {
    private static final int SIDE = 64;
    private static final int CHANNELS = 16;
    private static final int VALUES = 7;

    private final Random random = new Random(1);
    private final Map<String, Tensor> constants = new LinkedHashMap<>();

    private Rehearsal() {}

    /** Runs the commands in a temporary folder, which it removes again. */
    public static void main(String[] args) throws IOException {
        OwnProcess.prepare();
        Path folder = Files.createTempDirectory("shrike-rehearsal");
        int exit;
        try {
            exit = perform(folder);
            if (exit == ExitCode.OK) {
                exit = serve(folder);
            }
        } finally {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
        System.exit(exit);
    }

    /** The first exit code that is not 0, or 0. */
    static int perform(Path folder) {
        String images = folder.resolve("pictures").toString();
        String network = folder.resolve("network.onnx").toString();
        String real = folder.resolve("real.shrike").toString();
        String bytes = folder.resolve("w8a8.shrike").toString();
        String bits = folder.resolve("w2a2.shrike").toString();
        folder.resolve("pictures").toFile().mkdir();
        OnnxModels.write(new Rehearsal().network(), Path.of(network));
        Images.write(Frame.allocate(SIDE, SIDE), Path.of(images, "image.png"));
        Images.write(Frame.allocate(2 * SIDE, SIDE), Path.of(images, "image.jpg"));
        List<List<String>> commands = List.of(
                List.of("build", network, "-o", real),
                List.of("build", network, "-o", bytes, "--bits", "w8a8", "--data", images),
                List.of("build", network, "-o", bits, "--bits", "w2a2", "--data", images),
                List.of("detect", "--weights", network, "--project", folder + "/runs", "--save-txt", images),
                List.of("detect", "--weights", real, "--nosave", images),
                List.of("detect", "--weights", bytes, "--nosave", "--json", images),
                List.of("detect", "--weights", bits, "--nosave", "--conf-thres", "0.001", images));
        for (List<String> command : commands) {
            int exit = run(command);
            if (exit != 0) {
                return exit;
            }
        }
        return 0;
    }

    /**
     * The exit code of a service that sees what {@link #perform} has left, and ends when it has. It needs a process.
     */
    private static int serve(Path folder) throws IOException {
        // A file of its own: else one that the box has would be read.
        Path config = Files.writeString(folder.resolve("config.yaml"), """
                model: {weights: '%s'}
                cameras: {rehearsal: {source: '%s'}}
                page: {port: 0}
                """.formatted(folder.resolve("real.shrike"), folder.resolve("pictures")));
        return run(List.of("serve", "--config", config.toString()));
    }

    private static int run(List<String> command) {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
        return Main.run(command.toArray(String[]::new), nowhere, System.err);
    }

    /** Of each kind of operation in YOLOv5 a few, on 64x64 pixels; the weights are noise. */
    private Graph network() {
        List<Node> nodes = List.of(
                convolution("stem", "images", 3, CHANNELS, 6, 2, 2),
                unary("stem/sigmoid", "stem"),
                binary("stem/silu", Op.Binary.Kind.MUL, "stem", "stem/sigmoid"),
                convolution("body", "stem/silu", CHANNELS, CHANNELS, 3, 1, 1),
                unary("body/sigmoid", "body"),
                binary("body/silu", Op.Binary.Kind.MUL, "body", "body/sigmoid"),
                binary("sum", Op.Binary.Kind.ADD, "body/silu", "stem/silu"),
                new Node("pool", new Op.MaxPool(Window.square(5, 1, 2), false), List.of("sum"), List.of("pool")),
                new Node("concat", new Op.Concat(1), List.of("sum", "pool"), List.of("concat")),
                convolution("down", "concat", 2 * CHANNELS, CHANNELS, 3, 2, 1),
                convolution("head", "down", CHANNELS, VALUES, 1, 1, 0),
                new Node("rows", new Op.Reshape(false), List.of("head", "shape"), List.of("rows")),
                new Node("boxes", new Op.Transpose(List.of(0, 2, 1)), List.of("rows"), List.of("boxes")),
                unary("output", "boxes"));
        int cells = SIDE / 4 * SIDE / 4;
        constants.put("shape", Tensor.vector(1, VALUES, cells));
        return new Graph("rehearsal",
                List.of(new ValueInfo("images", DataType.FLOAT32, Shape.of(1, 3, SIDE, SIDE))),
                List.of(new ValueInfo("output", DataType.FLOAT32, Shape.of(1, cells, VALUES))),
                nodes, constants, Map.of(), Map.of("names", "{0: 'a', 1: 'b'}", "stride", "32"));
    }

    private Node convolution(String name, String input, int from, int to, int kernel, int stride, int pad) {
        constants.put(name + "/weight", noise(Shape.of(to, from, kernel, kernel)));
        constants.put(name + "/bias", noise(Shape.of(to)));
        return new Node(name, new Op.Conv(Window.square(kernel, stride, pad), 1, Activation.NONE),
                List.of(input, name + "/weight", name + "/bias"), List.of(name));
    }

    private static Node unary(String name, String input) {
        return new Node(name, new Op.Unary(Op.Unary.Kind.SIGMOID, 0, 0), List.of(input), List.of(name));
    }

    private static Node binary(String name, Op.Binary.Kind kind, String a, String b) {
        return new Node(name, new Op.Binary(kind), List.of(a, b), List.of(name));
    }

    private Tensor noise(Shape shape) {
        float[] values = new float[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() / 8;
        }
        return Tensor.ofFloats(shape, values);
    }
}
