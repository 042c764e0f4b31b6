package dev.shrike.app.serve;

import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.app.outputs.CameraControl;
import dev.shrike.app.outputs.Outputs;
import dev.shrike.app.serve.config.ServiceConfig;
import dev.shrike.sources.FrameSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Opens what the service is made of. Each throws a {@link dev.shrike.ShrikeException} that says why it cannot. */
interface Openers {
    /** What runs the network of the configuration. */
    Detector detector(ServiceConfig.Engine engine, DetectorOptions options);

    /** The frames of a camera; one that is not there now is opened too and comes later. */
    FrameSource source(ServiceConfig.Camera camera);

    /** Where results go. Outputs may ask the control for the cameras of the configuration. */
    Outlets outputs(ServiceConfig config, CameraControl control);

    /**
     * Outputs that are open.
     *
     * @param outputs all of them
     * @param metrics text for Prometheus, if it is wanted
     */
    record Outlets(Outputs outputs, Supplier<Optional<String>> metrics) implements AutoCloseable {
        /** Nowhere. */
        public static final Outlets NONE = new Outlets(new Outputs(List.of()), Optional::empty);

        @Override
        public void close() {
            outputs.close();
        }
    }
}
