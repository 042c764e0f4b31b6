package dev.shrike.app.detect;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.ShrikeException;
import dev.shrike.files.PrintableText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/**
 * The file predictions.csv of YOLOv5: a row an object with the name of the image, the class and the score. Each
 * image's rows are appended at once.
 */
final class CsvFile {
    private static final String HEAD = "Image Name,Prediction,Confidence\n";

    private final Path file;

    CsvFile(Path file) {
        this.file = file;
    }

    /** Appends the rows of one image; makes the file with its head first if it is not there. */
    void append(Path image, Detections found) {
        StringBuilder rows = new StringBuilder(Files.exists(file) ? "" : HEAD);
        for (Detection detection : found) {
            rows.append(field(Sources.Names.name(image))).append(',').append(field(detection.label())).append(',')
                    .append(String.format(Locale.ROOT, "%.2f", detection.score())).append('\n');
        }
        try {
            Files.writeString(file, rows, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new ShrikeException(file + ": cannot be written: " + e.getMessage(), e);
        }
    }

    /** A field as RFC 4180 has it: quoted where it needs to be. */
    static String field(String text) {
        String shown = PrintableText.of(text);
        return shown.matches("[^,\"]*") ? shown : '"' + shown.replace("\"", "\"\"") + '"';
    }
}
