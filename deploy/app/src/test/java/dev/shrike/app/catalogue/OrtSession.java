package dev.shrike.app.catalogue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.Result;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;

/** Runs a detector in ONNX Runtime, which knows nothing of this product. */
final class OrtSession implements AutoCloseable {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final ai.onnxruntime.OrtSession session;

    OrtSession(Path model) throws OrtException {
        try (ai.onnxruntime.OrtSession.SessionOptions options = new ai.onnxruntime.OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(2);
            session = environment.createSession(model.toString(), options);
        }
    }

    /** The first output for an image of seeded noise: 1 x boxes x numbers. */
    float[][] run(int side, long seed) throws OrtException {
        Random random = new Random(seed);
        float[] pixels = new float[3 * side * side];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = random.nextFloat();
        }
        try (OnnxTensor images = OnnxTensor.createTensor(environment, FloatBuffer.wrap(pixels),
                new long[] {1, 3, side, side}); Result result = session.run(Map.of("images", images))) {
            return ((float[][][]) result.get(0).getValue())[0];
        }
    }

    /** Metadata {@code names} as stored in the file. */
    String names() throws OrtException {
        return session.getMetadata().getCustomMetadataValue("names").orElse("");
    }

    @Override
    public void close() throws OrtException {
        session.close();
    }
}
