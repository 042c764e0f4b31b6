package dev.shrike.spi;

/** Whether an engine can run here. */
public sealed interface Availability {
    /**
     * The engine runs here.
     *
     * @param description for people: library versions, CPU features
     */
    record Available(String description) implements Availability {}

    /**
     * The engine does not run here.
     *
     * @param reason what is missing and the exact package or flag that adds it
     * @param cause the error that told, or null
     */
    record Missing(String reason, Throwable cause) implements Availability {}
}
