package dev.shrike.app.detect;

import dev.shrike.Detections;
import dev.shrike.app.Console;
import java.nio.file.Path;
import java.util.Locale;

/** A table that grows by a row an image, for a terminal. */
final class TableReport implements Report {
    private static final int WIDEST_NAME = 40;
    private static final int FRAME_DIGITS = 6;
    /** Of a blank and the seconds of a frame. */
    private static final int TIME_WIDTH = 9;

    private final Console console;
    private final int numberWidth;
    private final int nameWidth;
    private boolean headed;

    TableReport(Console console, Sources sources) {
        this.console = console;
        int digits = 2 * Integer.toString(sources.images().size()).length() + 1;
        this.numberWidth = sources.moving().isEmpty() ? digits : Math.max(digits, FRAME_DIGITS);
        int longest = Math.max(sources.images().stream().mapToInt(p -> p.toString().length()).max().orElse(0),
                sources.moving().stream().mapToInt(name -> name.length() + TIME_WIDTH).max().orElse(0));
        this.nameWidth = Math.clamp(longest, 7, WIDEST_NAME);
    }

    @Override
    public void image(int index, int count, Path image, Detections found) {
        show(index + 1 + "/" + count, image.toString(), found);
    }

    @Override
    public void frame(MovingFrame frame, Detections found) {
        show(Long.toString(frame.number()),
                String.format(Locale.ROOT, "%s %.2fs", frame.source(), frame.seconds()), found);
    }

    private void show(String number, String name, Detections found) {
        if (!headed) {
            headed = true;
            console.line(row("", "image", "size", "ms", "objects"));
        }
        console.line(row(
                number,
                shorten(name),
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
