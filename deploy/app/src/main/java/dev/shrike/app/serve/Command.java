package dev.shrike.app.serve;

/** What the service is told by signals and by its parts. */
sealed interface Command {
    /** Read the configuration again. */
    record Reload() implements Command {}

    /** End in good order. */
    record Stop(String reason) implements Command {}

    /** End, and let the supervisor start it again. */
    record Fail(String reason) implements Command {}
}
