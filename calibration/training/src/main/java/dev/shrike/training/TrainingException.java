package dev.shrike.training;

import dev.shrike.ShrikeException;

/** Training that cannot go on: PyTorch is missing, the process that trained ended, the loss is no number. */
public class TrainingException extends ShrikeException {
    private static final long serialVersionUID = 1;

    public TrainingException(String message) {
        super(message);
    }

    public TrainingException(String message, Throwable cause) {
        super(message, cause);
    }
}
