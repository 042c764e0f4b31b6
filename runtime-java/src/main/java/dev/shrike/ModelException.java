package dev.shrike;

/**
 * A broken model file: truncated, malformed or inconsistent. The message names the file and the byte, node or field.
 */
public final class ModelException extends ShrikeException {
    private static final long serialVersionUID = 1L;

    /** An error with what happened and, where there is one, the way out. */
    public ModelException(String message) {
        super(message);
    }

    /** An error with what happened and its cause. */
    public ModelException(String message, Throwable cause) {
        super(message, cause);
    }
}
