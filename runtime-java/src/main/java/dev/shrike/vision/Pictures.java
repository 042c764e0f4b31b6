package dev.shrike.vision;

import dev.shrike.Frame;
import java.nio.file.Path;

/** Pictures in and out. */
public final class Pictures {
    private Pictures() {}

    /** Reads a picture. */
    public static Frame read(Path file) {
        throw new UnsupportedOperationException("placeholder until the vision package lands: " + file);
    }
}
