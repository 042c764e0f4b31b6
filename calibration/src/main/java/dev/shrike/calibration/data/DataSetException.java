package dev.shrike.calibration.data;

import dev.shrike.ShrikeException;

/** A broken data set: missing, truncated or inconsistent. The message names the file and the field or line. */
public final class DataSetException extends ShrikeException {
    private static final long serialVersionUID = 1L;

    /** An error with what happened and, where there is one, the way out. */
    public DataSetException(String message) {
        super(message);
    }

    /** An error with what happened and its cause. */
    public DataSetException(String message, Throwable cause) {
        super(message, cause);
    }
}
