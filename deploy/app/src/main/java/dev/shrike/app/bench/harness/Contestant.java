package dev.shrike.app.bench.harness;

import dev.shrike.StageTimes;

/**
 * Something whose runs are timed: a model that is open on an engine, with its input in place. One thread at a time may
 * use it. Whoever opened it closes it.
 */
public interface Contestant extends AutoCloseable {
    /** What runs the network, for people. */
    String description();

    /**
     * Runs once, from the frame to the boxes where the engine does all of that, or the network alone.
     *
     * @throws dev.shrike.ShrikeException if the engine failed
     */
    void run();

    /** Times of the stages of the last run, per batch; null where {@link #run} is the network alone. */
    StageTimes stages();

    @Override
    void close();
}
