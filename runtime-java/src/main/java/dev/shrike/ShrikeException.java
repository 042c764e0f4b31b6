package dev.shrike;

/** The root of every error that Shrike reports: the message names the thing at fault and the way out. */
public class ShrikeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** An error with what happened and, where there is one, the way out. */
    public ShrikeException(String message) {
        super(message);
    }

    /** An error with what happened and its cause. */
    public ShrikeException(String message, Throwable cause) {
        super(message, cause);
    }
}
