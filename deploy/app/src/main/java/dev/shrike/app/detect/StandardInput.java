package dev.shrike.app.detect;

import dev.shrike.Frame;
import dev.shrike.SourceException;
import dev.shrike.vision.Images;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** The image that a source {@code -} stands for: the bytes of its file on the standard input. */
final class StandardInput {
    /** Stands for it among the images; a file of that name is {@code ./-}. */
    static final Path PATH = Path.of("-");

    private static final String NAME = "standard input";
    /** As large as files of images may be at the usual limit of pixels. */
    private static final int MOST_BYTES = 576 << 20;

    private StandardInput() {}

    /**
     * The image.
     *
     * @throws SourceException if the input is empty, too long or no image
     */
    static Frame read(InputStream in) {
        byte[] bytes;
        try {
            bytes = in.readNBytes(MOST_BYTES + 1);
        } catch (IOException e) {
            throw new SourceException(NAME + ": cannot be read: " + e.getMessage(), e);
        }
        if (bytes.length == 0) {
            throw new SourceException(NAME + ": is empty; give an image: shrike detect - < street.jpg");
        }
        if (bytes.length > MOST_BYTES) {
            throw new SourceException(NAME + ": has more than " + MOST_BYTES + " bytes, too many for an image");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment encoded = arena.allocate(bytes.length, 16);
            MemorySegment.copy(MemorySegment.ofArray(bytes), 0, encoded, 0, bytes.length);
            return Images.decode(encoded, NAME);
        }
    }
}
