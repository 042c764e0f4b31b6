package dev.shrike.app;

import dev.shrike.ShrikeException;

/** A request that makes no sense, which showed only once the model was open. */
public final class UsageException extends ShrikeException {
    private static final long serialVersionUID = 1L;

    /** An error with what makes no sense. */
    public UsageException(String message, Throwable cause) {
        super(message, cause);
    }
}
