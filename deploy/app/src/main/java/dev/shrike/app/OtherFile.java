package dev.shrike.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Keeps a command from writing over what it reads. */
public final class OtherFile {
    private OtherFile() {}

    /**
     * Fails if both are the same file, under whatever name.
     *
     * @param option what names the output on the command line
     * @throws UsageException if so; names both
     */
    public static void require(String option, Path output, Path input) {
        if (isSame(output, input)) {
            throw new UsageException(option + " " + output + " is the file that is read, " + input
                    + ": it would be overwritten; name another one", null);
        }
    }

    /** Whether both are the same file or folder. */
    public static boolean isSame(Path one, Path other) {
        try {
            if (Files.exists(one) && Files.exists(other)) {
                return Files.isSameFile(one, other);
            }
        } catch (IOException e) {
            // Then the names have to do.
        }
        return one.toAbsolutePath().normalize().equals(other.toAbsolutePath().normalize());
    }
}
