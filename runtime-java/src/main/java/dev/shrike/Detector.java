package dev.shrike;

import java.util.List;

/**
 * Finds objects in frames.
 *
 * <ol>
 *   <li>Open one with {@link Detectors#open}; this loads and prepares the network.
 *   <li>Call {@link #detect} once a frame.
 *   <li>Close it; closing twice does nothing, and use after close throws {@link IllegalStateException}.
 * </ol>
 *
 * <p>A detector is confined to one thread at a time. The opener owns it and its native memory.
 */
public interface Detector extends AutoCloseable {
    /**
     * The objects in the frame, best first, with boxes in pixels of the frame.
     *
     * @throws DeviceException if the engine failed
     * @throws IllegalStateException if the detector was closed
     */
    Detections detect(Frame frame);

    /** Names of the classes, by class id. */
    List<String> labels();

    /** What runs the network, for people: {@code "cpu (oneDNN fp32)"}. */
    String engine();

    /** Width of the network's input in pixels. */
    int inputWidth();

    /** Height of the network's input in pixels. */
    int inputHeight();

    @Override
    void close();
}
