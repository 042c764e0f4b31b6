package dev.shrike.app.catalogue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class TfjsGraphModelTest {
    @TempDir
    private Path folder;

    @Test
    void turnsEachKernelRound() throws IOException {
        TinyTfjs tiny = new TinyTfjs(5);
        Map<String, Tensor> weights = read(tiny).tensors();
        for (Yolov5Weights.Slot slot : Yolov5Weights.slots(TinyTfjs.ARCHITECTURE)) {
            float[] drawn = tiny.drawn.get(slot.name() + ".weight");
            Tensor kernel = weights.get(slot.name() + ".weight");
            assertEquals(slot.shape(), kernel.shape());
            int k = slot.kernel();
            for (int h = 0; h < k; h++) {
                for (int w = 0; w < k; w++) {
                    for (int in = 0; in < slot.inputs(); in++) {
                        for (int out = 0; out < slot.outputs(); out++) {
                            float expected = drawn[((h * k + w) * slot.inputs() + in) * slot.outputs() + out];
                            float actual = kernel.floatAt(((out * slot.inputs() + in) * k + h) * k + w);
                            assertEquals(expected, actual, slot.name());
                        }
                    }
                }
            }
            assertArrayEquals(tiny.drawn.get(slot.name() + ".bias"), weights.get(slot.name() + ".bias").toFloats());
        }
    }

    @Test
    void contentHashSeesEveryBit() throws IOException {
        String hash = read(new TinyTfjs(5)).contentHash();
        assertEquals(hash, read(new TinyTfjs(5)).contentHash());
        TinyTfjs other = new TinyTfjs(5);
        other.weights[other.weights.length - 1] ^= 1;
        assertTrue(!hash.equals(read(other).contentHash()), "one bit of the last bias");
    }

    @Test
    void refusesAManifestThatDoesNotFitTheShards() {
        refused(ModelException.class, "accounts for", tiny -> tiny.weights = Arrays.copyOf(tiny.weights,
                tiny.weights.length + 4));
        refused(ModelException.class, "needs", tiny -> tiny.weights = Arrays.copyOf(tiny.weights,
                tiny.weights.length - 1));
        refused(ModelException.class, "has shape", tiny -> shape(tiny, 1, -6L));
        refused(ModelException.class, "has shape", tiny -> shape(tiny, 1, 1L << 40));
        refused(ModelException.class, "needs", tiny -> shape(tiny, 1, 1L << 20));
        refused(ModelException.class, "twice", tiny -> tiny.entry(2).put("name", tiny.entry(4).path("name").asText()));
    }

    @Test
    void refusesShardsOutsideTheFolder() {
        for (String path : new String[] {"../secret", "/etc/passwd", "", "..", "a/b"}) {
            refused(ModelException.class, "not a plain file name", tiny -> paths(tiny).set(0, path));
        }
        refused(ModelException.class, "missing", tiny -> paths(tiny).set(0, "other.bin"));
    }

    @Test
    void refusesWhatItDoesNotUnderstand() {
        refused(UnsupportedModelException.class, "type 'uint8'", tiny -> tiny.entry(1).put("dtype", "uint8"));
        refused(UnsupportedModelException.class, "quantised", tiny -> tiny.entry(1).putObject("quantization"));
        refused(ModelException.class, "not a TensorFlow.js graph model",
                tiny -> tiny.json.put("format", "layers-model"));
        refused(UnsupportedModelException.class, "numbered", tiny -> tiny.node(3).put("name", "dense/MatMul"));
        refused(UnsupportedModelException.class, "not an NHWC one", tiny -> list(tiny, "strides").set(1, "3"));
        refused(UnsupportedModelException.class, "not an NHWC one", tiny -> list(tiny, "dilations").set(1, "2"));
        refused(ModelException.class, "no weight", tiny -> ((ArrayNode) tiny.node(3).path("input")).set(1, "axi"));
        refused(ModelException.class, "the weight INT32",
                tiny -> ((ArrayNode) tiny.node(3).path("input")).set(1, "axis"));
    }

    @Test
    void refusesAnotherNetwork() {
        refused(ModelException.class, "convolutions, this YOLOv5 has",
                tiny -> ((ArrayNode) tiny.json.path("modelTopology").path("node")).remove(4));
        refused(ModelException.class, "should be", tiny -> {
            String third = tiny.node(3).path("name").asText();
            tiny.node(1).put("name", "model/conv2d_99/BiasAdd");
            tiny.node(3).put("name", tiny.node(99).path("name").asText().replace("99", "1"));
            tiny.node(99).put("name", third);
        });
    }

    @Test
    void refusesNumbersThatAreNone() {
        refused(ModelException.class, "holds NaN", tiny -> {
            // After the 8 bytes that are no kernel: 0x7fc00000, little-endian.
            tiny.weights[10] = (byte) 0xc0;
            tiny.weights[11] = 0x7f;
        });
    }

    @Test
    void anyDamageGivesAnErrorOrAModel() throws IOException {
        long seed = 11;
        Random random = new Random(seed);
        byte[] whole = new TinyTfjs(5).modelJson();
        Path json = new TinyTfjs(5).write(folder);
        for (int round = 0; round < 300; round++) {
            byte[] damaged = random.nextBoolean() ? Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
            for (int i = 0; i < 3 && damaged.length > 0; i++) {
                damaged[random.nextInt(damaged.length)] = (byte) (32 + random.nextInt(95));
            }
            Files.write(json, damaged);
            try {
                Yolov5Weights.of(TinyTfjs.ARCHITECTURE, TfjsGraphModel.read(json));
            } catch (ShrikeException e) {
                assertTrue(!e.getMessage().isBlank(), "seed " + seed + ", round " + round);
            }
        }
    }

    private Yolov5Weights read(TinyTfjs tiny) throws IOException {
        return Yolov5Weights.of(TinyTfjs.ARCHITECTURE, TfjsGraphModel.read(tiny.write(folder)));
    }

    private void refused(Class<? extends ShrikeException> type, String reason, Consumer<TinyTfjs> change) {
        TinyTfjs tiny = new TinyTfjs(5);
        change.accept(tiny);
        ShrikeException e = assertThrows(type, () -> read(tiny));
        assertTrue(e.getMessage().contains(reason), e.getMessage());
    }

    private static void shape(TinyTfjs tiny, int entry, long dim) {
        ((ArrayNode) tiny.entry(entry).path("shape")).set(0, dim);
    }

    private static ArrayNode paths(TinyTfjs tiny) {
        return (ArrayNode) tiny.json.path("weightsManifest").path(0).path("paths");
    }

    private static ArrayNode list(TinyTfjs tiny, String attribute) {
        ObjectNode list = (ObjectNode) tiny.node(3).path("attr").path(attribute).path("list");
        return (ArrayNode) list.path("i");
    }
}
