package dev.shrike.sources;

/** A camera or stream is not there, for now. The message says why, without credentials. */
final class LostException extends Exception {
    private static final long serialVersionUID = 1L;

    private final boolean mayAnswer;

    /** @param mayAnswer whether it told so itself, and so is there: a refusal, an unknown stream, a camera in use */
    LostException(String message, boolean mayAnswer) {
        super(message, null, false, false);
        this.mayAnswer = mayAnswer;
    }

    LostException(String message) {
        this(message, false);
    }

    boolean mayAnswer() {
        return mayAnswer;
    }
}
