package dev.shrike.app.serve;

import dev.shrike.DetectorOptions;
import dev.shrike.Frame;
import dev.shrike.app.serve.config.ServiceConfig;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * The engines of the cameras: one for all, or one each.
 *
 * @param byCamera engine of each camera, by its id
 */
record Engines(Map<String, SharedDetector> byCamera) implements AutoCloseable {
    Engines {
        byCamera = Map.copyOf(byCamera);
    }

    /**
     * What engines must be able to do for a configuration: if that is the same, they need not be opened anew.
     *
     * @param engine the settings
     * @param options of each engine, by the camera or, of one for all, by an empty text
     */
    record Needs(ServiceConfig.Engine engine, Map<String, DetectorOptions> options, int failures) {
        static Needs of(ServiceConfig config) {
            Map<String, DetectorOptions> options = new LinkedHashMap<>();
            if (config.engine().each()) {
                config.cameras().forEach(
                        camera -> options.put(camera.id(), Engines.options(config, List.of(camera))));
            } else {
                options.put("", Engines.options(config, config.cameras()));
            }
            return new Needs(config.engine(), options, config.limits().failures());
        }
    }

    /** Opens them and runs each once, so that the first frame of a camera is as quick as the others. */
    static Engines open(ServiceConfig config, Openers openers, Consumer<String> fatal) {
        Needs needs = Needs.of(config);
        Map<String, SharedDetector> opened = new LinkedHashMap<>();
        try {
            needs.options().forEach((id, options) -> {
                SharedDetector detector = new SharedDetector(openers.detector(needs.engine(), options),
                        needs.failures(), fatal);
                opened.put(id, detector);
                detector.detect(Frame.allocate(detector.inputWidth(), detector.inputHeight()));
            });
        } catch (RuntimeException | Error e) {
            opened.values().forEach(SharedDetector::close);
            throw e;
        }
        Map<String, SharedDetector> byCamera = new LinkedHashMap<>();
        for (ServiceConfig.Camera camera : config.cameras()) {
            byCamera.put(camera.id(), opened.get(config.engine().each() ? camera.id() : ""));
        }
        return new Engines(byCamera);
    }

    /** What the engine of these cameras is asked for: the least that any of them wants. */
    private static DetectorOptions options(ServiceConfig config, List<ServiceConfig.Camera> cameras) {
        double confidence = 1;
        int most = 1;
        for (ServiceConfig.Camera camera : cameras) {
            confidence = Math.min(confidence, camera.detecting().confidence());
            if (camera.tracking().enabled()) {
                confidence = Math.min(confidence, camera.tracking().lowScore());
            }
            most = Math.max(most, camera.detecting().maxDetections());
        }
        int side = config.engine().imageSize();
        return DetectorOptions.DEFAULT.withInputSize(side, side)
                .withThresholds((float) confidence, (float) config.engine().iou()).withMaxDetections(most)
                .withThreads(config.engine().threads()).withEngine(config.engine().name());
    }

    /** The same engines for the cameras of another configuration with the same needs. */
    Engines forCameras(ServiceConfig config) {
        SharedDetector any = byCamera.values().iterator().next();
        Map<String, SharedDetector> again = new LinkedHashMap<>();
        config.cameras().forEach(camera -> again.put(camera.id(), byCamera.getOrDefault(camera.id(), any)));
        return new Engines(again);
    }

    /** One of them, for what all have in common. */
    SharedDetector any() {
        return byCamera.values().iterator().next();
    }

    @Override
    public void close() {
        new HashSet<>(byCamera.values()).forEach(SharedDetector::close);
    }
}
