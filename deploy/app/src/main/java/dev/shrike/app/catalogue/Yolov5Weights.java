package dev.shrike.app.catalogue;

import dev.shrike.ModelException;
import dev.shrike.app.catalogue.Yolov5Architecture.Layer;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The weights of one YOLOv5 network, by the names that Ultralytics' export gives them: {@code model.0.conv.weight}
 * (output channels x input channels x height x width) and {@code model.0.conv.bias} and so on. Every weight is there,
 * float32, of the shape its architecture asks for.
 *
 * @param architecture the network the weights are for
 * @param tensors weights by name, in the order in which the layers are made
 */
record Yolov5Weights(Yolov5Architecture architecture, Map<String, Tensor> tensors) {
    /** A convolution of the architecture: its name without {@code .weight}, sizes and stride. */
    record Slot(String name, int outputs, int inputs, int kernel, int stride) {
        Shape shape() {
            return Shape.of(outputs, inputs, kernel, kernel);
        }
    }

    Yolov5Weights {
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
        for (Slot slot : slots(architecture)) {
            check(tensors.get(slot.name() + ".weight"), slot.name() + ".weight", slot.shape());
            check(tensors.get(slot.name() + ".bias"), slot.name() + ".bias", Shape.of(slot.outputs()));
        }
    }

    private static void check(Tensor tensor, String name, Shape shape) {
        if (tensor == null || tensor.type() != DataType.FLOAT32 || !tensor.shape().equals(shape)) {
            throw new ModelException("weight '" + name + "' should be FLOAT32" + shape + " but is "
                    + (tensor == null ? "missing" : tensor));
        }
    }

    /** The weights of a graph that was written from {@link Yolov5Graph}. */
    static Yolov5Weights of(Yolov5Architecture architecture, Graph graph) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (Slot slot : slots(architecture)) {
            for (String name : List.of(slot.name() + ".weight", slot.name() + ".bias")) {
                Tensor tensor = graph.constants().get(name);
                if (tensor != null) {
                    tensors.put(name, tensor);
                }
            }
        }
        return new Yolov5Weights(architecture, tensors);
    }

    /**
     * The weights of a TensorFlow.js model whose layers were made in the same order.
     *
     * @throws ModelException if the number of convolutions or the sizes of one differ
     */
    static Yolov5Weights of(Yolov5Architecture architecture, TfjsGraphModel model) {
        List<Slot> slots = slots(architecture);
        if (model.convolutions().size() != slots.size()) {
            throw new ModelException("the TensorFlow.js model has " + model.convolutions().size()
                    + " convolutions, this YOLOv5 has " + slots.size());
        }
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (int i = 0; i < slots.size(); i++) {
            Slot slot = slots.get(i);
            TfjsGraphModel.Convolution convolution = model.convolutions().get(i);
            Shape expected = Shape.of(slot.kernel(), slot.kernel(), slot.inputs(), slot.outputs());
            if (!convolution.kernel().shape().equals(expected) || convolution.stride() != slot.stride()) {
                throw new ModelException("convolution '" + convolution.name() + "' should be " + expected + " stride "
                        + slot.stride() + " as '" + slot.name() + "' but is " + convolution.kernel() + " stride "
                        + convolution.stride());
            }
            tensors.put(slot.name() + ".weight", outputsFirst(convolution.kernel()));
            tensors.put(slot.name() + ".bias", convolution.bias());
        }
        return new Yolov5Weights(architecture, tensors);
    }

    /** From height x width x inputs x outputs to outputs x inputs x height x width. */
    private static Tensor outputsFirst(Tensor kernel) {
        int pixels = Math.toIntExact(kernel.shape().dim(0) * kernel.shape().dim(1));
        int inputs = Math.toIntExact(kernel.shape().dim(2));
        int outputs = Math.toIntExact(kernel.shape().dim(3));
        float[] from = kernel.toFloats();
        float[] to = new float[from.length];
        for (int pixel = 0; pixel < pixels; pixel++) {
            for (int in = 0; in < inputs; in++) {
                for (int out = 0; out < outputs; out++) {
                    to[(out * inputs + in) * pixels + pixel] = from[(pixel * inputs + in) * outputs + out];
                }
            }
        }
        Shape shape = Shape.of(outputs, inputs, kernel.shape().dim(0), kernel.shape().dim(1));
        return Tensor.ofFloats(shape, to);
    }

    /** SHA-256, in hexadecimal digits, over name, shape and little-endian values of each weight in order. */
    String contentHash() {
        MessageDigest digest = CacheFiles.digest("SHA-256");
        tensors.forEach((name, tensor) -> {
            digest.update((name + tensor.shape() + "\n").getBytes(StandardCharsets.UTF_8));
            ByteBuffer bytes = tensor.data().asByteBuffer();
            digest.update(bytes);
        });
        return HexFormat.of().formatHex(digest.digest());
    }

    /** All convolutions of an architecture in the order in which its layers are made. */
    static List<Slot> slots(Yolov5Architecture architecture) {
        List<Slot> slots = new ArrayList<>();
        List<Layer> layers = architecture.layers();
        int[] channels = new int[layers.size()];
        int before = 3;
        for (int i = 0; i < layers.size(); i++) {
            String name = "model." + i;
            channels[i] = switch (layers.get(i)) {
                case Layer.Conv conv -> {
                    slots.add(new Slot(name + ".conv", conv.channels(), before, conv.kernel(), conv.stride()));
                    yield conv.channels();
                }
                case Layer.C3 c3 -> addC3(slots, name, before, c3);
                case Layer.Sppf sppf -> {
                    slots.add(new Slot(name + ".cv1.conv", before / 2, before, 1, 1));
                    slots.add(new Slot(name + ".cv2.conv", sppf.channels(), before / 2 * 4, 1, 1));
                    yield sppf.channels();
                }
                case Layer.Upsample upsample -> before;
                case Layer.Concat concat -> before + channels[concat.other()];
                case Layer.Detect detect -> {
                    int outputs = architecture.anchorsPerCell() * architecture.boxNumbers();
                    for (int level = 0; level < detect.from().size(); level++) {
                        int inputs = channels[detect.from().get(level)];
                        slots.add(new Slot(name + ".m." + level, outputs, inputs, 1, 1));
                    }
                    yield outputs;
                }
            };
            before = channels[i];
        }
        return slots;
    }

    private static int addC3(List<Slot> slots, String name, int inputs, Layer.C3 c3) {
        int hidden = c3.channels() / 2;
        slots.add(new Slot(name + ".cv1.conv", hidden, inputs, 1, 1));
        slots.add(new Slot(name + ".cv2.conv", hidden, inputs, 1, 1));
        slots.add(new Slot(name + ".cv3.conv", c3.channels(), 2 * hidden, 1, 1));
        for (int i = 0; i < c3.bottlenecks(); i++) {
            slots.add(new Slot(name + ".m." + i + ".cv1.conv", hidden, hidden, 1, 1));
            slots.add(new Slot(name + ".m." + i + ".cv2.conv", hidden, hidden, 3, 1));
        }
        return c3.channels();
    }
}
