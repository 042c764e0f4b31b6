package dev.shrike;

import dev.shrike.graph.Graph;
import dev.shrike.spi.Backend;
import java.util.List;

/** Opens detectors on an engine that is not installed. */
public final class DetectorsOn {
    private DetectorsOn() {}

    /** A detector for the network on this engine. */
    public static Detector open(Graph network, DetectorOptions options, Backend backend) {
        return Detectors.open(network, options, List.of(backend));
    }
}
