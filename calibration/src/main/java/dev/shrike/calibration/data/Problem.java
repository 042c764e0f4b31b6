package dev.shrike.calibration.data;

import java.util.Objects;

/**
 * Something in a data set that cannot be used as it is, so that it was left out.
 *
 * @param kind what is wrong
 * @param message what is wrong where: names the file, and the line or field
 */
public record Problem(Kind kind, String message) {
    /** What can be wrong; each kind is counted by itself. */
    public enum Kind {
        /** An image that is named and does not exist. */
        MISSING_IMAGE("missing image", true),
        /** An image that is damaged, truncated, of another format or too large. */
        UNREADABLE_IMAGE("unreadable image", true),
        /** An image whose size is not the one that the data set states. */
        OTHER_SIZE("image of another size than stated", true),
        /** A file among the images whose format is not read. */
        OTHER_FORMAT("file of a format that is not read", false),
        /** A folder that cannot be listed. */
        UNREADABLE_FOLDER("folder that cannot be listed", false),
        /** A label file that is no text or cannot be read. */
        UNREADABLE_LABELS("unreadable label file", true),
        /** A label with too few or too many values. */
        WRONG_COLUMNS("label with a wrong number of values", true),
        /** A label with something else than a number. */
        NO_NUMBER("label with something that is no number", true),
        /** A label with a value that lies outside of the image. */
        OUT_OF_RANGE("label with a value out of range", true),
        /** A label of a class that the data set does not have. */
        UNKNOWN_CLASS("label of an unknown class", true),
        /** An entry of a description that lacks what it needs. */
        BROKEN_ENTRY("broken entry", true),
        /** The same once more, which counts once. */
        DUPLICATE("duplicate that counts once", false);

        private final String title;
        private final boolean fatal;

        Kind(String title, boolean fatal) {
            this.title = title;
            this.fatal = fatal;
        }

        /** Name for people, in the singular. */
        public String title() {
            return title;
        }

        /** Whether the image that it concerns is left out: what is in it is not known. */
        boolean isFatal() {
            return fatal;
        }
    }

    public Problem {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(message, "message");
    }
}
