package dev.shrike;

/** A device that failed while it worked: out of memory, a CUDA error, a native status. */
public final class DeviceException extends ShrikeException {
    private static final long serialVersionUID = 1L;

    /** An error with what happened and, where there is one, the way out. */
    public DeviceException(String message) {
        super(message);
    }

    /** An error with what happened and its cause. */
    public DeviceException(String message, Throwable cause) {
        super(message, cause);
    }
}
