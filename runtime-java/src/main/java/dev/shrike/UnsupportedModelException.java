package dev.shrike;

/** A sound model that needs an operation, type or shape which Shrike does not have. The message names the node. */
public final class UnsupportedModelException extends ShrikeException {
    private static final long serialVersionUID = 1L;

    /** An error with what happened and, where there is one, the way out. */
    public UnsupportedModelException(String message) {
        super(message);
    }

    /** An error with what happened and its cause. */
    public UnsupportedModelException(String message, Throwable cause) {
        super(message, cause);
    }
}
