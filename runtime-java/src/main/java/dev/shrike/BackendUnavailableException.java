package dev.shrike;

/** An engine that cannot run here. The message names what is missing and the exact package or flag that adds it. */
public final class BackendUnavailableException extends ShrikeException {
    private static final long serialVersionUID = 1L;

    /** An error with what happened and, where there is one, the way out. */
    public BackendUnavailableException(String message) {
        super(message);
    }

    /** An error with what happened and its cause. */
    public BackendUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
