package dev.shrike.spi;

import dev.shrike.Frame;
import java.util.List;

/**
 * A network that is ready to run.
 *
 * <ol>
 *   <li>Write the inputs into the memory of {@link #inputs()}.
 *   <li>Call {@link #run()}.
 *   <li>Read {@link #outputs()} and {@link #taps()}; they stay until the next run.
 *   <li>Close it, from any thread: this waits for a run that another thread began, as {@link UseGuard} says. Closing
 *   twice does nothing.
 * </ol>
 *
 * <p>One thread at a time may use it; a second one gets an {@link IllegalStateException}, and interrupts are kept.
 * Running makes no garbage. The opener owns it and its native memory: what the bindings lie in must not be touched
 * after close, which throws {@link IllegalStateException} as well.
 */
public interface GraphExecutor extends AutoCloseable {
    /** What runs the network, for people. */
    String description();

    /** The inputs in the order of the graph. */
    List<Binding> inputs();

    /** The outputs in the order of the graph. */
    List<Binding> outputs();

    /** The inner values that were asked for. */
    List<Binding> taps();

    /**
     * Writes a frame into the only input, fitted and scaled as {@link dev.shrike.vision.Letterbox} does, if this
     * executor can do that itself; it may use the frame's memory until the next run ends.
     *
     * @return false if it cannot, and nothing was written
     * @throws dev.shrike.DeviceException if it failed
     * @throws IllegalStateException if the executor was closed
     */
    default boolean accept(Frame frame) {
        return false;
    }

    /**
     * As {@link #accept(Frame)} for one image of a batch. An executor takes every image in this way or none; those
     * that it is not given stay as they are.
     *
     * @param image index in the batch
     */
    default boolean accept(Frame frame, int image) {
        return image == 0 && accept(frame);
    }

    /**
     * Runs the network once on the inputs as they are.
     *
     * @throws dev.shrike.DeviceException if a step failed; names the step
     * @throws IllegalStateException if the executor was closed, or is in use by another thread
     */
    void run();

    /**
     * As {@link #run()} for the first so many images of the batch. An executor that can run fewer images than its
     * inputs have room for does so; any other runs all of them. What the outputs then hold for the rest means nothing.
     *
     * @throws IllegalArgumentException if the batch has no such number of images
     */
    default void run(int images) {
        int room = inputs().getFirst().dims().getFirst();
        if (images < 1 || images > room) {
            throw new IllegalArgumentException("a run of " + images + " images in a batch of " + room);
        }
        run();
    }

    /** Times of the last run, by step, in the order of execution. */
    List<StepTime> times();

    /** Bytes of native memory that the executor holds. */
    long nativeBytes();

    @Override
    void close();
}
