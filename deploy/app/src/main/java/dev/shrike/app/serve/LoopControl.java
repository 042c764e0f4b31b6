package dev.shrike.app.serve;

import dev.shrike.app.outputs.CameraControl;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What outputs may ask of the cameras.
 *
 * @param cameras ids of the configuration that the outputs were opened for
 * @param loops those that run, by id
 */
record LoopControl(List<String> cameras, Map<String, CameraLoop> loops) implements CameraControl {
    private static final long SNAPSHOT_MILLIS = 2000;

    @Override
    public boolean isDetecting(String camera) {
        CameraLoop loop = loops.get(camera);
        return loop == null || !loop.paused();
    }

    @Override
    public void detect(String camera, boolean on) {
        CameraLoop loop = loops.get(camera);
        if (loop != null) {
            loop.pause(!on);
        }
    }

    @Override
    public Optional<byte[]> snapshot(String camera) {
        CameraLoop loop = loops.get(camera);
        try {
            return loop == null ? Optional.empty() : loop.preview().snapshot(SNAPSHOT_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
