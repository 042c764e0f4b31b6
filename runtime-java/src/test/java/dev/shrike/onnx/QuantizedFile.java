package dev.shrike.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.shrike.onnx.proto.Onnx.AttributeProto;
import dev.shrike.onnx.proto.Onnx.GraphProto;
import dev.shrike.onnx.proto.Onnx.ModelProto;
import dev.shrike.onnx.proto.Onnx.NodeProto;
import dev.shrike.onnx.proto.Onnx.OperatorSetIdProto;
import dev.shrike.onnx.proto.Onnx.TensorProto;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A quantised network as other tools write it, of one input and one output, both FLOAT.
 *
 * @param name what is special about it
 * @param inputName name of the input
 * @param model the ONNX file
 * @param shape shape of the input
 * @param step what one code of the output stands for, by which results may differ; 0 if the output is not rounded
 */
public record QuantizedFile(String name, String inputName, byte[] model, long[] shape, float step) {
    /** ONNX's numbers of the types of codes. */
    static final int UINT8 = 2;
    static final int INT8 = 3;
    static final int INT32 = 6;

    /** Values from -1.2 to 1.2 for the input. */
    public float[] input() {
        int count = 1;
        for (long dim : shape) {
            count *= (int) dim;
        }
        Random random = new Random(name.hashCode());
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = 2.4f * random.nextFloat() - 1.2f;
        }
        return values;
    }

    /** What ONNX Runtime computes, without its own changes of the graph. */
    public float[] expected() throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
            try (OrtSession session = environment.createSession(model, options);
                    OnnxTensor x = OnnxTensor.createTensor(environment, FloatBuffer.wrap(input()), shape);
                    OrtSession.Result result = session.run(Map.of(inputName, x))) {
                FloatBuffer y = ((OnnxTensor) result.get(0)).getFloatBuffer();
                float[] values = new float[y.remaining()];
                y.get(values);
                return values;
            }
        }
    }

    /**
     * What speaks against these being the expected values, or null: they may lie one code apart, one in fifty of them;
     * where the output is not rounded, by a ten-thousandth of the largest.
     */
    public static String difference(float[] expected, float[] found, float step) {
        if (expected.length != found.length) {
            return found.length + " values, expected " + expected.length;
        }
        float largest = 0;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        float close = step / 1000 + 1e-4f * largest * (step == 0 ? 1 : 0);
        int apart = 0;
        for (int i = 0; i < expected.length; i++) {
            float difference = Math.abs(expected[i] - found[i]);
            apart += difference > close ? 1 : 0;
            if (!(difference <= step + close)) {
                return "element " + i + " is " + found[i] + ", expected " + expected[i] + ", one code is " + step;
            }
        }
        return apart > expected.length / 50 + 1 ? apart + " of " + expected.length + " values lie one code apart"
                : null;
    }

    /** A file on its way. */
    static final class Builder {
        private final GraphProto.Builder graph = GraphProto.newBuilder().setName("quantised");
        private final long[] shape;
        private final Random random;
        private int names;

        Builder(Random random, long... shape) {
            this.random = random;
            this.shape = shape;
            graph.addInput(TestModels.value("x", 1, shape));
        }

        String floats(long[] dims, float... values) {
            String name = "c" + names++;
            graph.addInitializer(TestModels.floats(name, dims, values));
            return name;
        }

        String scalar(float value) {
            return floats(new long[0], value);
        }

        String longs(Long... values) {
            String name = "c" + names++;
            graph.addInitializer(TestModels.longs(name, values));
            return name;
        }

        /** Integers of 8 or 32 bits. */
        String integers(int type, long[] dims, int... values) {
            String name = "c" + names++;
            TensorProto.Builder tensor = TestModels.typed(name, type, dims);
            for (int value : values) {
                tensor.addInt32Data(value);
            }
            graph.addInitializer(tensor);
            return name;
        }

        String zero(int type, int value) {
            return integers(type, new long[0], value);
        }

        /** Random codes from low to high. */
        String codes(int type, int low, int high, long... dims) {
            int count = 1;
            for (long dim : dims) {
                count *= (int) dim;
            }
            return integers(type, dims, random.ints(count, low, high + 1).toArray());
        }

        float[] randoms(int count, float from, float to) {
            float[] values = new float[count];
            for (int i = 0; i < count; i++) {
                values[i] = from + (to - from) * random.nextFloat();
            }
            return values;
        }

        String node(String operator, List<String> inputs, AttributeProto.Builder... attributes) {
            return nodes("", operator, inputs, 1, attributes).getFirst();
        }

        String microsoft(String operator, List<String> inputs, AttributeProto.Builder... attributes) {
            return nodes("com.microsoft", operator, inputs, 1, attributes).getFirst();
        }

        List<String> nodes(String domain, String operator, List<String> inputs, int outputs,
                AttributeProto.Builder... attributes) {
            NodeProto.Builder node = NodeProto.newBuilder().setDomain(domain).setOpType(operator)
                    .setName("n" + names++).addAllInput(inputs);
            for (int i = 0; i < outputs; i++) {
                node.addOutput("v" + names++);
            }
            for (AttributeProto.Builder attribute : attributes) {
                node.addAttribute(attribute);
            }
            graph.addNode(node);
            return node.getOutputList();
        }

        QuantizedFile file(String name, int opset, String output, float step) {
            graph.addNode(NodeProto.newBuilder().setOpType("Identity").setName("last").addInput(output).addOutput("y"));
            graph.addOutput(TestModels.value("y", 1, rank(output)));
            ModelProto.Builder model = ModelProto.newBuilder().setIrVersion(opset > 20 ? 10 : 8).setGraph(graph)
                    .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(opset))
                    .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("com.microsoft").setVersion(1));
            return new QuantizedFile(name + " (opset " + opset + ")", "x", model.build().toByteArray(), shape, step);
        }

        private long[] rank(String output) {
            long[] open = new long[shape.length];
            java.util.Arrays.fill(open, -1);
            return open;
        }
    }
}
