package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.SplittableRandom;

/** Runs a file in ONNX Runtime, in the evaluator, in the engine, and once more after writing it, and compares. */
final class OnnxAgreement {
    private OnnxAgreement() {}

    /** A result of ONNX Runtime: ONNX's number of the element type, shape and values. */
    record Result(int type, long[] dims, double[] values) {}

    /** Fails unless all give the same within a tolerance relative to the larger of 1 and the value. */
    static void check(OnnxFile file, Map<String, float[]> inputs, double tolerance, String hint) {
        Map<String, Result> expected = onnxRuntime(file, inputs, hint);
        Map<String, int[]> types = new HashMap<>();
        expected.forEach((name, result) -> types.put(name, new int[] {result.type(), result.dims().length}));
        Graph graph = OnnxModels.read(file.toBytes(types), hint, null);
        compare(expected, evaluate(graph, file, inputs), tolerance, hint + " in the evaluator");
        Graph again = OnnxModels.read(OnnxModels.toBytes(graph), hint + " written", null);
        compare(expected, evaluate(again, file, inputs), tolerance, hint + " in the evaluator after writing");
        try (GraphExecutor executor = new CpuBackend().open(graph, ExecutorOptions.DEFAULT.withThreads(2))) {
            for (int run = 0; run < 2; run++) {
                executor.inputs().forEach(input -> FloatBench.fill(input, inputs.get(input.name())));
                executor.run();
                Map<String, float[]> found = new HashMap<>();
                for (Binding output : executor.outputs()) {
                    assertEquals(java.util.Arrays.stream(expected.get(output.name()).dims()).mapToInt(d -> (int) d)
                            .boxed().toList(), output.dims(), hint + " in the engine: shape of " + output.name());
                    found.put(output.name(), FloatBench.read(output));
                }
                compare(expected, found, tolerance, hint + " in the engine, run " + run);
            }
        }
    }

    /** Uniform numbers for every input. */
    static Map<String, float[]> random(OnnxFile file, SplittableRandom random, double low, double high) {
        Map<String, float[]> inputs = new LinkedHashMap<>();
        file.inputs().forEach((name, dims) -> {
            float[] values = new float[(int) Shape.of(dims).elements()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextDouble(low, high);
            }
            inputs.put(name, values);
        });
        return inputs;
    }

    static Map<String, float[]> evaluate(Graph graph, OnnxFile file, Map<String, float[]> inputs) {
        Map<String, Tensor> given = new HashMap<>();
        inputs.forEach((name, values) -> given.put(name, Tensor.ofFloats(Shape.of(file.inputs().get(name)), values)));
        Map<String, float[]> found = new HashMap<>();
        ReferenceEvaluator.run(graph, given, new LinkedHashSet<>(file.outputs()))
                .forEach((name, tensor) -> found.put(name, tensor.toFloats()));
        return found;
    }

    static void compare(Map<String, Result> expected, Map<String, float[]> found, double tolerance, String hint) {
        expected.forEach((name, result) -> {
            float[] values = found.get(name);
            assertEquals(result.values().length, values.length, hint + ": number of " + name);
            for (int i = 0; i < values.length; i++) {
                double want = result.values()[i];
                boolean same = want == values[i] || Double.isNaN(want) && Float.isNaN(values[i])
                        || Math.abs(want - values[i]) <= tolerance * Math.max(1, Math.abs(want));
                assertTrue(same, hint + ": " + name + "[" + i + "] is " + values[i] + ", expected " + want);
            }
        });
    }

    static Map<String, Result> onnxRuntime(OnnxFile file, Map<String, float[]> inputs, String hint) {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        Map<String, OnnxTensor> given = new HashMap<>();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
            for (Map.Entry<String, long[]> input : file.inputs().entrySet()) {
                given.put(input.getKey(), OnnxTensor.createTensor(environment,
                        FloatBuffer.wrap(inputs.get(input.getKey())), input.getValue()));
            }
            try (OrtSession session = environment.createSession(file.toBytes(Map.of()), options);
                    OrtSession.Result result = session.run(given)) {
                Map<String, Result> found = new LinkedHashMap<>();
                for (String output : file.outputs()) {
                    found.put(output, result((OnnxTensor) result.get(output).orElseThrow()));
                }
                return found;
            }
        } catch (OrtException e) {
            throw new AssertionError(hint + " in ONNX Runtime", e);
        } finally {
            given.values().forEach(OnnxTensor::close);
        }
    }

    private static Result result(OnnxTensor tensor) {
        TensorInfo info = tensor.getInfo();
        long[] dims = info.getShape();
        double[] values = new double[(int) Shape.of(dims).elements()];
        switch (info.type) {
            case FLOAT -> {
                FloatBuffer buffer = tensor.getFloatBuffer();
                for (int i = 0; i < values.length; i++) {
                    values[i] = buffer.get(i);
                }
                return new Result(1, dims, values);
            }
            case INT64 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = tensor.getLongBuffer().get(i);
                }
                return new Result(7, dims, values);
            }
            default -> throw new IllegalArgumentException("output of type " + info.type);
        }
    }
}
