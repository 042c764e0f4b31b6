package dev.shrike.app.outputs;

/** Takes what the service tells, from any thread. */
public interface Output extends AutoCloseable {
    /** Takes a message; never waits for anybody: what there is no room for is dropped and counted. */
    void send(Message message);

    /** How the output does, for the page, the metrics and the log; without credentials. */
    OutputStatus status();

    /** Sends what still can be sent within a second, and ends. */
    @Override
    void close();
}
