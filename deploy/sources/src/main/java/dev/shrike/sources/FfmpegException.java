package dev.shrike.sources;

/** A call of FFmpeg failed. */
final class FfmpegException extends Exception {
    private static final long serialVersionUID = 1L;

    /** What kind of failure it is, for those who decide what to do about it. */
    enum Kind {
        /** The server did not like user or password. */
        REFUSED,
        /** The server does not know the stream. */
        NOT_FOUND,
        /** The deadline passed or the source was closed. */
        INTERRUPTED,
        /** No connection, or the end of one. */
        UNREACHABLE,
        /** The data is none that can be decoded. */
        INVALID,
        /** Anything else. */
        OTHER
    }

    private final Kind kind;

    /** @param message without credentials */
    FfmpegException(Kind kind, String message) {
        super(message, null, false, false);
        this.kind = kind;
    }

    Kind kind() {
        return kind;
    }
}
