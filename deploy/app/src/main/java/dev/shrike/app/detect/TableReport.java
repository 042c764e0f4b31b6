package dev.shrike.app.detect;

import dev.shrike.Detections;
import dev.shrike.app.Console;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** A table that grows by a row an image, for a terminal. */
final class TableReport implements Report {
    private static final int WIDEST_NAME = 40;

    private final Console console;
    private final int numberWidth;
    private final int nameWidth;
    private boolean headed;

    TableReport(Console console, List<Path> images) {
        this.console = console;
        this.numberWidth = 2 * Integer.toString(images.size()).length() + 1;
        this.nameWidth = Math.clamp(
                images.stream().mapToInt(p -> p.toString().length()).max().orElse(0), 7, WIDEST_NAME);
    }

    @Override
    public void image(int index, int count, Path image, Detections found) {
        if (!headed) {
            headed = true;
            console.line(row("", "image", "size", "ms", "objects"));
        }
        console.line(row(
                index + 1 + "/" + count,
                shorten(image.toString()),
                found.width() + "x" + found.height(),
                String.format(Locale.ROOT, "%.1f", found.times().total() / 1e6),
                Report.describe(found)));
    }

    @Override
    public void summary(Totals totals) {
        console.line(LineReport.speed(totals));
    }

    private String row(String number, String image, String size, String time, String objects) {
        String format = "%" + numberWidth + "s  %-" + nameWidth + "s  %11s  %8s  %s";
        return String.format(Locale.ROOT, format, number, image, size, time, objects);
    }

    /** The end of a long path says more than its beginning. */
    private String shorten(String name) {
        return name.length() <= nameWidth ? name : "…" + name.substring(name.length() - nameWidth + 1);
    }
}
