package dev.shrike.app.heads;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/** A network that writes the same whatever it sees: what a head says, without the network before it. */
final class ConstantNetwork {
    private final ValueInfo input;
    private final DataType type;
    private final Map<String, Tensor> constants = new HashMap<>();
    private final List<Node> nodes = new ArrayList<>();
    private final List<ValueInfo> outputs = new ArrayList<>();
    private final Map<String, String> metadata = new HashMap<>();

    /**
     * A network of images of a size.
     *
     * @param half whether its input and outputs are in half precision
     */
    ConstantNetwork(int width, int height, boolean half) {
        type = half ? DataType.FLOAT16 : DataType.FLOAT32;
        input = new ValueInfo("images", type, Shape.of(1, 3, height, width));
        constants.put("axes", Tensor.vector(0, 1, 2, 3));
        constants.put("zero", Tensor.scalar(0));
        String read = "images";
        if (half) {
            nodes.add(new Node("widen", new Op.Cast(DataType.FLOAT32), List.of("images"), List.of("wide")));
            read = "wide";
        }
        nodes.add(new Node("mean", new Op.Reduce(Op.Reduce.Kind.MEAN, false), List.of(read, "axes"), List.of("mean")));
        nodes.add(new Node("nothing", new Op.Binary(Op.Binary.Kind.MUL), List.of("mean", "zero"), List.of("nothing")));
    }

    ConstantNetwork output(String name, List<Integer> dims, float[] values) {
        Shape shape = Shape.of(LongStream.of(dims.stream().mapToLong(d -> d).toArray()).toArray());
        constants.put(name + "_values", Tensor.ofFloats(shape, values));
        boolean half = type == DataType.FLOAT16;
        nodes.add(new Node(name, new Op.Binary(Op.Binary.Kind.ADD), List.of(name + "_values", "nothing"),
                List.of(half ? name + "_wide" : name)));
        if (half) {
            nodes.add(new Node(name + "_narrow", new Op.Cast(type), List.of(name + "_wide"), List.of(name)));
        }
        outputs.add(new ValueInfo(name, type, shape));
        return this;
    }

    /** An output of so many boxes of so many values, as rows or transposed. */
    ConstantNetwork rows(String name, float[][] rows, boolean transposed) {
        int boxes = rows.length;
        int values = rows[0].length;
        float[] all = new float[boxes * values];
        for (int box = 0; box < boxes; box++) {
            for (int i = 0; i < values; i++) {
                all[transposed ? i * boxes + box : box * values + i] = rows[box][i];
            }
        }
        return output(name, transposed ? List.of(1, values, boxes) : List.of(1, boxes, values), all);
    }

    /** Names c0, c1 … for so many classes; none for 0. */
    ConstantNetwork names(int count) {
        if (count > 0) {
            List<String> names = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                names.add(i + ": 'c" + i + "'");
            }
            metadata.put("names", "{" + String.join(", ", names) + "}");
        }
        return this;
    }

    ConstantNetwork metadata(String key, String value) {
        metadata.put(key, value);
        return this;
    }

    Graph graph() {
        return new Graph("constant", List.of(input), outputs, nodes, constants, Map.of(), metadata);
    }

    /** Places of the strides 8, 16 and 32. */
    static int places(int width, int height) {
        int places = 0;
        for (int stride = 8; stride <= 32; stride *= 2) {
            places += Math.ceilDiv(width, stride) * Math.ceilDiv(height, stride);
        }
        return places;
    }

    /** So many equal rows. */
    static float[][] background(int count, float... row) {
        float[][] rows = new float[count][];
        for (int i = 0; i < count; i++) {
            rows[i] = row.clone();
        }
        return rows;
    }

    /** A row of a box, then zeros. */
    static float[] row(int values, float... first) {
        return Arrays.copyOf(first, values);
    }
}
