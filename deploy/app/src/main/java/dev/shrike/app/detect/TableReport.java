package dev.shrike.app.detect;

import dev.shrike.Detections;
import dev.shrike.app.Console;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** A table that grows by a row a picture, for a terminal. */
final class TableReport implements Report {
    private static final int WIDEST_NAME = 40;

    private final Console console;
    private final int numberWidth;
    private final int nameWidth;
    private boolean headed;

    TableReport(Console console, List<Path> pictures) {
        this.console = console;
        this.numberWidth = 2 * Integer.toString(pictures.size()).length() + 1;
        this.nameWidth = Math.clamp(
                pictures.stream().mapToInt(p -> p.toString().length()).max().orElse(0), 7, WIDEST_NAME);
    }

    @Override
    public void picture(int index, int count, Path picture, Detections found) {
        if (!headed) {
            headed = true;
            console.line(row("", "picture", "size", "ms", "objects"));
        }
        console.line(row(
                index + 1 + "/" + count,
                shorten(picture.toString()),
                found.width() + "x" + found.height(),
                String.format(Locale.ROOT, "%.1f", found.times().total() / 1e6),
                Report.describe(found)));
    }

    @Override
    public void summary(Totals totals) {
        console.line(LineReport.speed(totals));
    }

    private String row(String number, String picture, String size, String time, String objects) {
        String format = "%" + numberWidth + "s  %-" + nameWidth + "s  %11s  %8s  %s";
        return String.format(Locale.ROOT, format, number, picture, size, time, objects);
    }

    /** The end of a long path says more than its beginning. */
    private String shorten(String name) {
        return name.length() <= nameWidth ? name : "…" + name.substring(name.length() - nameWidth + 1);
    }
}
