package dev.shrike;

import java.util.ArrayList;
import java.util.List;

/**
 * Finds objects in frames.
 *
 * <ol>
 *   <li>Open one with {@link Detectors#open}; this loads and prepares the network.
 *   <li>Call {@link #detect} once a frame, or {@link #detectAll} with several, from any thread but one at a time: while
 *   one call runs, another throws {@link IllegalStateException} and changes nothing for the first. An interrupt does
 *   not end a call and is kept.
 *   <li>Close it, from any thread, a shutdown hook among them: {@link #close} waits for the call that runs and then
 *   frees the native memory. Closing twice does nothing, use after close throws {@link IllegalStateException}, and a
 *   close by the thread of the running call itself returns at once, the end of that call frees.
 * </ol>
 *
 * <p>The opener owns it and its native memory.
 */
public interface Detector extends AutoCloseable {
    /**
     * The objects in the frame, best first, with boxes in pixels of the frame. An engine that was built for a batch of
     * one size runs the whole batch for it.
     *
     * @throws UnsupportedModelException if what the network gives is not what it was taken for: scores beyond 0 to 1,
     *     boxes that cannot be; tells what was seen
     * @throws ModelException if the network gives values that are not finite
     * @throws DeviceException if the engine failed
     * @throws IllegalStateException if the detector was closed, or is in use by another thread
     */
    Detections detect(Frame frame);

    /**
     * As {@link #detect(Frame)} with other thresholds or on regions of interest.
     *
     * @throws IllegalArgumentException if a region reaches out of the frame, or the confidence is below the one that
     *     the detector was opened with, whose engine may have left such boxes out already
     * @throws UnsupportedOperationException if this detector takes no such options
     */
    default Detections detect(Frame frame, DetectOptions options) {
        if (options.equals(DetectOptions.DEFAULT)) {
            return detect(frame);
        }
        throw new UnsupportedOperationException("this detector takes no options for single frames: " + engine());
    }

    /** As {@link #detect(Frame)} into a buffer that is filled again; see there. */
    default void detect(Frame frame, DetectionBuffer into) {
        detect(frame, DetectOptions.DEFAULT, into);
    }

    /**
     * As {@link #detect(Frame, DetectOptions)} into a buffer that is filled again. The detectors that
     * {@link Detectors#open} gives make no garbage here once they are warm, if the engine resizes the frame's format
     * itself, as the CPU's does with all but {@link PixelFormat#MJPEG}. After an exception the buffer holds anything.
     */
    default void detect(Frame frame, DetectOptions options, DetectionBuffer into) {
        into.set(detect(frame, options), labels());
    }

    /**
     * Runs the network a few times on grey frames, so that the first frame that matters takes as long as others: the
     * Java code on the way is compiled, memory is there, clocks are up. Takes as long as so many frames.
     *
     * @throws IllegalStateException if the detector was closed, or is in use by another thread
     */
    default void warmUp() {
        Frame grey = Frame.allocate(inputWidth(), inputHeight());
        grey.pixels().fill((byte) 114);
        DetectionBuffer unused = new DetectionBuffer();
        for (int i = 0; i < 3; i++) {
            detect(grey, unused);
        }
    }

    /**
     * The objects in each of the frames, in their order; frames may differ in size. An engine that was built for
     * batches looks at as many as it has room for in one run; of a last run that is not full it pays the whole, unless
     * it was built for smaller batches too. Any other looks at one after another. Results are those of {@link #detect},
     * but for the last digits where a batch rounds in another way.
     *
     * <p>If a frame cannot be read or the engine fails, nothing is returned for any frame.
     *
     * @throws DeviceException if the engine failed
     * @throws IllegalStateException if the detector was closed, or is in use by another thread
     */
    default List<Detections> detectAll(List<Frame> frames) {
        List<Detections> found = new ArrayList<>(frames.size());
        for (Frame frame : List.copyOf(frames)) {
            found.add(detect(frame));
        }
        return List.copyOf(found);
    }

    /** Most frames that {@link #detectAll} looks at in one run of the network. */
    default int batch() {
        return 1;
    }

    /** Names of the classes, by class id. */
    List<String> labels();

    /** What runs the network, for people: {@code "cpu (oneDNN fp32)"}. */
    String engine();

    /**
     * What people should know about how the model is read, a line each: what was assumed for want of a word in its
     * file, and what it gives that is left out.
     */
    default List<String> notes() {
        return List.of();
    }

    /** Width of the network's input in pixels. */
    int inputWidth();

    /** Height of the network's input in pixels. */
    int inputHeight();

    @Override
    void close();
}
