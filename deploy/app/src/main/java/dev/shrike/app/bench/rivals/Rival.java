package dev.shrike.app.bench.rivals;

import dev.shrike.ShrikeException;
import dev.shrike.app.bench.harness.Configuration;
import dev.shrike.app.bench.harness.Contestant;
import java.util.Arrays;
import java.util.Optional;

/** An engine of others that runs in the same process. */
public enum Rival {
    /** ONNX Runtime; int8 is a QDQ file of our own quantiser. */
    ONNXRUNTIME,
    /** OpenCV's network module; int8 is what it makes of the float file itself. */
    OPENCV;

    /** The precision of the quantised runs. */
    public static final String INT8 = "int8";

    /** The name on the command line and in reports. */
    public String label() {
        return this == ONNXRUNTIME ? "onnxruntime" : "opencv";
    }

    /** The rival of that name. */
    public static Optional<Rival> of(String name) {
        return Arrays.stream(values()).filter(rival -> rival.label().equalsIgnoreCase(name)).findFirst();
    }

    /** Whether its int8 runs read a file that was quantised for it; else they read the float one. */
    public boolean readsQuantizedFile() {
        return this == ONNXRUNTIME;
    }

    /**
     * The model that the configuration asks for, open.
     *
     * @throws ShrikeException if it is not here, or cannot open the model
     */
    public Contestant open(Configuration configuration) {
        return switch (this) {
            case ONNXRUNTIME -> OnnxRuntime.open(configuration);
            case OPENCV -> OpenCvDnn.open(configuration, configuration.precision().equals(INT8));
        };
    }
}
