package dev.shrike;

/**
 * A thread that was interrupted while it read, wrote or waited for a file. The file is not at fault, and the thread's
 * interrupt status is set. Running a network is not ended by interrupts.
 */
public final class OperationInterruptedException extends ShrikeException {
    private static final long serialVersionUID = 1L;

    /** An error with what was interrupted and its cause. */
    public OperationInterruptedException(String message, Throwable cause) {
        super(message, cause);
    }
}
