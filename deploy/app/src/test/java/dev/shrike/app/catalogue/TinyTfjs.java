package dev.shrike.app.catalogue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A TensorFlow.js graph model of a narrow YOLOv5 with seeded random weights, in the layout the converter writes. */
final class TinyTfjs {
    static final Yolov5Architecture ARCHITECTURE = new Yolov5Architecture(0.33, 0.0625, 2);

    final ObjectNode json = new ObjectMapper().createObjectNode();
    byte[] weights;

    /** Kernel and bias by slot name, as drawn: kernels height x width x inputs x outputs. */
    final Map<String, float[]> drawn = new LinkedHashMap<>();

    TinyTfjs(long seed) {
        Random random = new Random(seed);
        json.put("format", "graph-model");
        ArrayNode nodes = json.putObject("modelTopology").putArray("node");
        ObjectNode group = json.putArray("weightsManifest").addObject();
        group.putArray("paths").add("group1-shard1of3.bin").add("group1-shard2of3.bin").add("group1-shard3of3.bin");
        ArrayNode manifest = group.putArray("weights");
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        manifest.addObject().put("name", "axis").put("dtype", "int32").putArray("shape").add(2);
        bytes.writeBytes(new byte[8]);
        List<ObjectNode> convolutions = new ArrayList<>();
        List<Yolov5Weights.Slot> slots = Yolov5Weights.slots(ARCHITECTURE);
        for (int i = 0; i < slots.size(); i++) {
            Yolov5Weights.Slot slot = slots.get(i);
            int k = slot.kernel();
            float scale = (float) Math.sqrt(2.0 / (slot.inputs() * k * k));
            float[] kernel = draw(random, k * k * slot.inputs() * slot.outputs(), scale);
            float[] bias = draw(random, slot.outputs(), 0.1f);
            drawn.put(slot.name() + ".weight", kernel);
            drawn.put(slot.name() + ".bias", bias);
            String name = "model/tf_conv_" + i + "/conv2d" + (i == 0 ? "" : "_" + i);
            weight(manifest, name + "/kernel", bytes, kernel, k, k, slot.inputs(), slot.outputs());
            weight(manifest, name + "/bias", bytes, bias, slot.outputs());
            convolutions.add(convolution(name, slot.stride()));
        }
        // The converter writes nodes in an order of its own; only their numbers tell which layer they are.
        Collections.shuffle(convolutions, random);
        nodes.add(new ObjectMapper().createObjectNode().put("name", "input").put("op", "Placeholder"));
        nodes.addAll(convolutions);
        weights = bytes.toByteArray();
    }

    private static ObjectNode convolution(String name, int stride) {
        ObjectNode node = new ObjectMapper().createObjectNode();
        node.put("name", name + "/BiasAdd").put("op", "_FusedConv2D");
        node.putArray("input").add("before").add(name + "/kernel").add(name + "/bias");
        ObjectNode attributes = node.putObject("attr");
        attributes.putObject("data_format").put("s", base64("NHWC"));
        attributes.putObject("fused_ops").putObject("list").putArray("s").add(base64("BiasAdd"));
        attributes.putObject("dilations").putObject("list").putArray("i").add("1").add("1").add("1").add("1");
        String step = Integer.toString(stride);
        attributes.putObject("strides").putObject("list").putArray("i").add("1").add(step).add(step).add("1");
        return node;
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static float[] draw(Random random, int count, float scale) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian() * scale;
        }
        return values;
    }

    private static void weight(
            ArrayNode manifest, String name, ByteArrayOutputStream bytes, float[] values, int... shape) {
        ArrayNode dims = manifest.addObject().put("name", name).put("dtype", "float32").putArray("shape");
        Arrays.stream(shape).forEach(dims::add);
        ByteBuffer buffer = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        buffer.asFloatBuffer().put(values);
        bytes.writeBytes(buffer.array());
    }

    /** The node of convolution {@code number}. */
    ObjectNode node(int number) {
        for (var node : json.path("modelTopology").path("node")) {
            if (node.path("name").asText().endsWith("/conv2d_" + number + "/BiasAdd")) {
                return (ObjectNode) node;
            }
        }
        throw new IllegalArgumentException("no convolution " + number);
    }

    /** Manifest entry {@code index}. */
    ObjectNode entry(int index) {
        return (ObjectNode) json.path("weightsManifest").path(0).path("weights").path(index);
    }

    /** The three shards, cut where no weight ends. */
    List<byte[]> shards() {
        int first = weights.length / 3 + 1;
        int second = 2 * first + 2;
        return List.of(Arrays.copyOf(weights, first), Arrays.copyOfRange(weights, first, second),
                Arrays.copyOfRange(weights, second, weights.length));
    }

    byte[] modelJson() throws IOException {
        return new ObjectMapper().writeValueAsBytes(json);
    }

    /** Writes the model into a folder; the path of its model.json. */
    Path write(Path folder) throws IOException {
        Files.createDirectories(folder);
        List<byte[]> shards = shards();
        for (int i = 0; i < shards.size(); i++) {
            Files.write(folder.resolve("group1-shard" + (i + 1) + "of3.bin"), shards.get(i));
        }
        return Files.write(folder.resolve("model.json"), modelJson());
    }
}
