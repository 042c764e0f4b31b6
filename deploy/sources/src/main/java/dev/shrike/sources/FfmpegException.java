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

    /** The words that {@code av_strerror} has written, which end at a zero byte. */
    static String words(byte[] text) {
        int end = 0;
        while (end < text.length && text[end] != 0) {
            end++;
        }
        return new String(text, 0, end, java.nio.charset.StandardCharsets.UTF_8).strip();
    }

    Kind kind() {
        return kind;
    }
}
