package dev.shrike.app.catalogue;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The convolutions of a TensorFlow.js graph model: {@code model.json} with topology and weights manifest, and beside it
 * the binary shards, whose bytes joined in manifest order hold the weights one after another without gaps
 * (TensorFlow.js converter, format {@code graph-model}).
 *
 * @param convolutions all convolutions in the order in which the model's author made the layers
 */
record TfjsGraphModel(List<Convolution> convolutions) {
    private static final long JSON_LIMIT = 16L << 20;
    private static final long WEIGHTS_LIMIT = 256L << 20;
    private static final Pattern LAYER = Pattern.compile("(?:.*/)?conv2d(?:_([0-9]{1,6}))?/[^/]+");

    /**
     * A convolution with its bias.
     *
     * @param name name of the node
     * @param kernel float32, height x width x input channels x output channels
     * @param bias float32, output channels
     * @param stride step in both directions
     */
    record Convolution(String name, Tensor kernel, Tensor bias, int stride) {}

    TfjsGraphModel {
        convolutions = List.copyOf(convolutions);
    }

    /**
     * Reads a model.
     *
     * @throws ModelException if it is broken
     * @throws UnsupportedModelException if it uses quantised weights or convolutions of another kind
     * @throws IOException if a file cannot be read
     */
    static TfjsGraphModel read(Path modelJson) throws IOException {
        if (Files.size(modelJson) > JSON_LIMIT) {
            throw new ModelException(modelJson.getFileName() + " has " + Files.size(modelJson) + " bytes, more than"
                    + " any model of the catalogue");
        }
        JsonNode root;
        try {
            root = new ObjectMapper().readTree(Files.readAllBytes(modelJson));
        } catch (JacksonException e) {
            throw new ModelException(modelJson.getFileName() + " is not JSON: " + e.getOriginalMessage(), e);
        }
        if (!root.path("format").asText().equals("graph-model")) {
            throw new ModelException(modelJson.getFileName() + " is not a TensorFlow.js graph model: its format is '"
                    + root.path("format").asText() + "'");
        }
        Map<String, Tensor> weights = new HashMap<>();
        for (JsonNode group : root.path("weightsManifest")) {
            readGroup(modelJson.toAbsolutePath().getParent(), group, weights);
        }
        return new TfjsGraphModel(convolutions(root.path("modelTopology").path("node"), weights));
    }

    private static void readGroup(Path folder, JsonNode group, Map<String, Tensor> weights) throws IOException {
        MemorySegment bytes = joined(folder, group.path("paths"));
        long at = 0;
        for (JsonNode entry : group.path("weights")) {
            String name = entry.path("name").asText();
            if (entry.has("quantization")) {
                throw new UnsupportedModelException("weight '" + name + "' of the TensorFlow.js model is quantised");
            }
            DataType type = type(name, entry.path("dtype").asText());
            Shape shape = shape(name, entry.path("shape"));
            long size = type.bytes(shape.elements());
            if (size > bytes.byteSize() - at) {
                throw new ModelException("weight '" + name + "' needs " + size + " bytes at " + at + ", the shards"
                        + " have " + bytes.byteSize());
            }
            if (weights.put(name, new Tensor(type, shape, bytes.asSlice(at, size))) != null) {
                throw new ModelException("weight '" + name + "' is in the manifest twice");
            }
            at += size;
        }
        if (at != bytes.byteSize()) {
            throw new ModelException("the shards have " + bytes.byteSize() + " bytes, the manifest accounts for " + at);
        }
    }

    private static MemorySegment joined(Path folder, JsonNode paths) throws IOException {
        List<Path> shards = new ArrayList<>();
        long total = 0;
        for (JsonNode path : paths) {
            String name = path.asText();
            if (name.isEmpty() || !name.matches("[A-Za-z0-9._-]+") || name.startsWith(".")) {
                throw new ModelException("shard '" + name + "' is not a plain file name");
            }
            Path shard = folder.resolve(name);
            if (!Files.isRegularFile(shard)) {
                throw new ModelException("shard '" + name + "' is missing");
            }
            shards.add(shard);
            total += Files.size(shard);
            if (total > WEIGHTS_LIMIT) {
                throw new ModelException("the shards have more than " + WEIGHTS_LIMIT + " bytes");
            }
        }
        byte[] bytes = new byte[(int) total];
        int at = 0;
        for (Path shard : shards) {
            byte[] part = Files.readAllBytes(shard);
            if (part.length > bytes.length - at) {
                throw new ModelException("shard '" + shard.getFileName() + "' grew while it was read");
            }
            System.arraycopy(part, 0, bytes, at, part.length);
            at += part.length;
        }
        return MemorySegment.ofArray(bytes).asSlice(0, at);
    }

    private static DataType type(String name, String text) {
        return switch (text) {
            case "float32" -> DataType.FLOAT32;
            case "int32" -> DataType.INT32;
            case "bool" -> DataType.BOOL;
            default -> throw new UnsupportedModelException("weight '" + name + "' has type '" + text + "'");
        };
    }

    private static Shape shape(String name, JsonNode dims) {
        List<Long> shape = new ArrayList<>();
        long elements = 1;
        for (JsonNode dim : dims) {
            // Each factor is at most 2^28, so the product cannot overflow before it is seen to be too large.
            if (!dim.canConvertToLong() || dim.asLong() < 0 || dim.asLong() > WEIGHTS_LIMIT
                    || (elements *= dim.asLong()) > WEIGHTS_LIMIT) {
                throw new ModelException("weight '" + name + "' has shape " + dims);
            }
            shape.add(dim.asLong());
        }
        return new Shape(shape);
    }

    private static List<Convolution> convolutions(JsonNode nodes, Map<String, Tensor> weights) {
        record Numbered(int number, Convolution convolution) {}
        List<Numbered> found = new ArrayList<>();
        Set<Integer> numbers = new HashSet<>();
        for (JsonNode node : nodes) {
            if (node.path("op").asText().equals("_FusedConv2D")) {
                int number = number(node.path("name").asText());
                if (!numbers.add(number)) {
                    throw new ModelException("two convolutions have the number " + number);
                }
                found.add(new Numbered(number, convolution(node, weights)));
            }
        }
        return found.stream()
                .sorted(Comparator.comparingInt(Numbered::number))
                .map(Numbered::convolution)
                .toList();
    }

    /** Keras numbers layers as they are made: conv2d, conv2d_1, conv2d_2 ... */
    private static int number(String name) {
        Matcher matcher = LAYER.matcher(name);
        if (!matcher.matches()) {
            throw new UnsupportedModelException("convolution '" + name + "' is not numbered as Keras numbers layers");
        }
        return matcher.group(1) == null ? 0 : Integer.parseInt(matcher.group(1));
    }

    private static Convolution convolution(JsonNode node, Map<String, Tensor> weights) {
        String name = node.path("name").asText();
        JsonNode attributes = node.path("attr");
        JsonNode strides = attributes.path("strides").path("list").path("i");
        int stride = strides.path(1).asInt();
        boolean plain = text(attributes.path("data_format").path("s")).equals("NHWC")
                && text(attributes.path("fused_ops").path("list").path("s").path(0)).equals("BiasAdd")
                && attributes.path("fused_ops").path("list").path("s").size() == 1
                && ones(attributes.path("dilations").path("list").path("i"))
                && strides.size() == 4 && stride >= 1 && strides.path(2).asInt() == stride;
        if (!plain) {
            throw new UnsupportedModelException("convolution '" + name + "' is not an NHWC one with a bias, equal"
                    + " strides and no dilation");
        }
        Tensor kernel = weight(name, node.path("input").path(1).asText(), 4, weights);
        Tensor bias = weight(name, node.path("input").path(2).asText(), 1, weights);
        if (bias.shape().dim(0) != kernel.shape().dim(3)) {
            throw new ModelException("convolution '" + name + "' has kernel " + kernel + " but bias " + bias);
        }
        return new Convolution(name, kernel, bias, stride);
    }

    private static Tensor weight(String convolution, String name, int rank, Map<String, Tensor> weights) {
        Tensor weight = weights.get(name);
        if (weight == null) {
            throw new ModelException("convolution '" + convolution + "' reads '" + name + "', which is no weight");
        }
        if (weight.type() != DataType.FLOAT32 || weight.shape().rank() != rank) {
            throw new ModelException("convolution '" + convolution + "' has the weight " + weight);
        }
        for (long i = 0; i < weight.elements(); i++) {
            if (!Float.isFinite(weight.floatAt(i))) {
                throw new ModelException("weight '" + name + "' holds " + weight.floatAt(i) + " at " + i);
            }
        }
        return weight;
    }

    private static boolean ones(JsonNode list) {
        for (JsonNode item : list) {
            if (item.asInt() != 1) {
                return false;
            }
        }
        return true;
    }

    /** Protobuf's JSON form writes byte strings in Base64. */
    private static String text(JsonNode base64) {
        try {
            return new String(Base64.getDecoder().decode(base64.asText()), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return "";
        }
    }
}
