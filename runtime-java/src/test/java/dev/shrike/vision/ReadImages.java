package dev.shrike.vision;

import dev.shrike.Frame;
import dev.shrike.SourceException;
import java.nio.file.Path;

/** Reads the images named by its arguments and prints what came of each: a program for tests of the whole process. */
final class ReadImages {
    private ReadImages() {}

    public static void main(String[] files) {
        for (String file : files) {
            try {
                Frame frame = Frame.read(Path.of(file));
                System.out.println(file + ": " + frame.width() + "x" + frame.height());
            } catch (SourceException e) {
                System.out.println(e.getMessage());
            }
        }
    }
}
