package dev.shrike.vision;

import dev.shrike.Frame;
import dev.shrike.files.PrintableText;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Text on images. ASCII goes to OpenCV's own strokes, which need no font; every other text to the fonts of the system
 * ({@link SystemFonts}), and where none has its letters, they are drawn as their code points, U+4E2D as a backslash, u
 * and 4e2d. What was missing is kept until somebody asks ({@link #missing}).
 */
public final class Lettering {
    private static final Set<String> MISSING = new LinkedHashSet<>();
    private static final int MOST_MISSING = 100;

    private Lettering() {}

    /**
     * What could not be drawn with real letters since the last call, one sentence each with the package that helps;
     * empty if there was nothing.
     */
    public static List<String> missing() {
        synchronized (MISSING) {
            List<String> all = new ArrayList<>(MISSING);
            MISSING.clear();
            return all;
        }
    }

    /** Width and height above the base line in pixels, in the size that OpenCV's strokes have at that scale. */
    static int[] size(String text, double scale, int thickness) {
        String shown = PrintableText.of(text);
        if (isPlain(shown)) {
            return OpenCv.Canvas.textSize(shown, scale, thickness);
        }
        SystemFonts.Drawn drawn = drawn(shown, scale, thickness);
        return drawn == null
                ? OpenCv.Canvas.textSize(codePoints(shown), scale, thickness)
                : new int[] {drawn.width(), drawn.ascent()};
    }

    /** Writes from {@code x} to the right on the base line {@code y}. */
    static void write(OpenCv.Canvas canvas, Frame frame, String text, int x, int y, double scale, int colour,
            int thickness) {
        String shown = PrintableText.of(text);
        SystemFonts.Drawn drawn = isPlain(shown) ? null : drawn(shown, scale, thickness);
        if (drawn == null) {
            canvas.text(isPlain(shown) ? shown : codePoints(shown), x, y, scale, colour, thickness);
        } else {
            drawn.blend(frame, x, y, colour);
        }
    }

    private static SystemFonts.Drawn drawn(String text, double scale, int thickness) {
        int capital = OpenCv.Canvas.textSize("H", scale, thickness)[1];
        try {
            SystemFonts.Drawn drawn = SystemFonts.draw(text, capital, thickness > 1);
            report(drawn.missing());
            return drawn;
        } catch (SystemFonts.NoLettersException e) {
            report(e.getMessage());
            return null;
        }
    }

    private static void report(String missing) {
        synchronized (MISSING) {
            if (!missing.isEmpty() && MISSING.size() < MOST_MISSING) {
                MISSING.add(missing);
            }
        }
    }

    private static boolean isPlain(String text) {
        return text.chars().allMatch(c -> c < 0x7f);
    }

    private static String codePoints(String text) {
        return text.codePoints().mapToObj(c -> c < 0x7f ? Character.toString(c) : codePoint(c))
                .collect(Collectors.joining());
    }

    /** A letter as its number, in the form of Python and C. */
    static String codePoint(int letter) {
        return String.format(letter > 0xffff ? "\\U%08x" : "\\u%04x", letter);
    }
}
