package dev.shrike.app.outputs;

import java.util.List;
import java.util.Optional;

/** What others may ask of the service's cameras; any thread may call it. */
public interface CameraControl {
    /** Ids of the cameras; the same for as long as the output lives. */
    List<String> cameras();

    /** Whether frames of the camera are looked through. */
    boolean isDetecting(String camera);

    /** Begins or stops to look through the frames of the camera; nothing happens if there is none of that id. */
    void detect(String camera, boolean on);

    /**
     * The newest frame of the camera with its boxes, as a JPEG; nothing if there is no frame. It may take as long as
     * drawing and encoding do.
     */
    Optional<byte[]> snapshot(String camera);

    /** For services without cameras that can be controlled. */
    static CameraControl none() {
        return new CameraControl() {
            @Override
            public List<String> cameras() {
                return List.of();
            }

            @Override
            public boolean isDetecting(String camera) {
                return false;
            }

            @Override
            public void detect(String camera, boolean on) {
                // no camera has this id
            }

            @Override
            public Optional<byte[]> snapshot(String camera) {
                return Optional.empty();
            }
        };
    }
}
