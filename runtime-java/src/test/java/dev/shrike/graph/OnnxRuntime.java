package dev.shrike.graph;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.shrike.onnx.OnnxModels;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Runs a graph by ONNX Runtime. */
public final class OnnxRuntime {
    private OnnxRuntime() {}

    /** The outputs of the graph by name. */
    public static Map<String, Tensor> run(Graph graph, Map<String, Tensor> inputs) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
            Map<String, OnnxTensorLike> given = new HashMap<>();
            try (OrtSession session = environment.createSession(OnnxModels.toBytes(graph), options)) {
                for (Map.Entry<String, Tensor> input : inputs.entrySet()) {
                    given.put(input.getKey(), tensor(environment, input.getValue()));
                }
                try (OrtSession.Result result = session.run(given)) {
                    Map<String, Tensor> outputs = new LinkedHashMap<>();
                    for (ValueInfo output : graph.outputs()) {
                        outputs.put(output.name(), tensor((OnnxTensor) result.get(output.name()).orElseThrow()));
                    }
                    return outputs;
                }
            } finally {
                given.values().forEach(OnnxTensorLike::close);
            }
        }
    }

    private static OnnxTensor tensor(OrtEnvironment environment, Tensor tensor) throws OrtException {
        ByteBuffer bytes = ByteBuffer.allocateDirect((int) tensor.data().byteSize()).order(ByteOrder.nativeOrder());
        bytes.put(tensor.data().asByteBuffer()).flip();
        return OnnxTensor.createTensor(environment, bytes, tensor.shape().toArray(), javaType(tensor.type()));
    }

    private static OnnxJavaType javaType(DataType type) {
        return switch (type) {
            case FLOAT32 -> OnnxJavaType.FLOAT;
            case FLOAT16 -> OnnxJavaType.FLOAT16;
            case FLOAT64 -> OnnxJavaType.DOUBLE;
            case UINT8 -> OnnxJavaType.UINT8;
            case INT8 -> OnnxJavaType.INT8;
            case INT16 -> OnnxJavaType.INT16;
            case INT32 -> OnnxJavaType.INT32;
            case INT64 -> OnnxJavaType.INT64;
            case BOOL -> OnnxJavaType.BOOL;
            case UINT16, UINT4, INT4 -> throw new IllegalArgumentException(type + " inputs");
        };
    }

    private static Tensor tensor(OnnxTensor tensor) {
        Shape shape = Shape.of(tensor.getInfo().getShape());
        ByteBuffer bytes = tensor.getByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        int count = (int) shape.elements();
        return switch (tensor.getInfo().type) {
            case FLOAT -> {
                float[] values = new float[count];
                bytes.asFloatBuffer().get(values);
                yield Tensor.ofFloats(shape, values);
            }
            case INT64 -> {
                long[] values = new long[count];
                bytes.asLongBuffer().get(values);
                yield Tensor.ofLongs(shape, values);
            }
            case INT32 -> {
                long[] values = new long[count];
                for (int i = 0; i < count; i++) {
                    values[i] = bytes.getInt(4 * i);
                }
                yield Tensor.of(DataType.INT32, shape, values);
            }
            case INT8, UINT8, BOOL -> {
                long[] values = new long[count];
                for (int i = 0; i < count; i++) {
                    values[i] = bytes.get(i);
                }
                DataType type = switch (tensor.getInfo().type) {
                    case INT8 -> DataType.INT8;
                    case UINT8 -> DataType.UINT8;
                    default -> DataType.BOOL;
                };
                yield Tensor.of(type, shape, values);
            }
            default -> throw new IllegalArgumentException("output of type " + tensor.getInfo().type);
        };
    }
}
