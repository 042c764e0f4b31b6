package dev.shrike;

/** An image, camera or stream that cannot be read or written. The message names it. */
public final class SourceException extends ShrikeException {
    private static final long serialVersionUID = 1L;

    /** An error with what happened and, where there is one, the way out. */
    public SourceException(String message) {
        super(message);
    }

    /** An error with what happened and its cause. */
    public SourceException(String message, Throwable cause) {
        super(message, cause);
    }
}
