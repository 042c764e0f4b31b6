package dev.shrike.vision;

import dev.shrike.Frame;
import java.awt.AWTError;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.GraphicsEnvironment;
import java.awt.HeadlessException;
import java.awt.RenderingHints;
import java.awt.font.FontRenderContext;
import java.awt.font.TextAttribute;
import java.awt.font.TextLayout;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.lang.Character.UnicodeScript;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.text.AttributedString;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Text in the fonts of the system through Java 2D, which joins Arabic and Indic letters and orders writing from right
 * to left: the only class that touches {@code java.awt}, so that nothing of it loads unless a label needs it. The last
 * texts are kept, since a video has the same ones again and again.
 */
final class SystemFonts {
    private static final int KEPT = 256;
    private static final int PIXEL_BYTES = 3;
    private static final FontRenderContext CONTEXT = new FontRenderContext(null, true, true);
    private static final Map<String, Drawn> DRAWN = new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Drawn> eldest) {
            return size() > KEPT;
        }
    };
    private static Font[] installed;
    private static String broken;

    private SystemFonts() {}

    /** Says why there are no fonts, and what to install. */
    static final class NoLettersException extends Exception {
        private static final long serialVersionUID = 1L;

        NoLettersException(String message) {
            super(message);
        }
    }

    /**
     * A text as the share of each pixel that it covers, 0 to 255.
     *
     * @param ascent rows above the base line
     * @param left pixels that lie left of the starting point
     * @param missing a sentence about letters that no font has, which are drawn as code points; empty if there are none
     */
    record Drawn(int width, int height, int ascent, int left, byte[] coverage, String missing) {
        /** Mixes the colour into the frame where the text covers it, starting at {@code x} on the line {@code y}. */
        void blend(Frame frame, int x, int y, int colour) {
            MemorySegment pixels = frame.pixels();
            for (int row = Math.max(0, ascent - y); row < height && y - ascent + row < frame.height(); row++) {
                for (int column = Math.max(0, left - x); column < width && x - left + column < frame.width();
                        column++) {
                    int share = coverage[row * width + column] & 255;
                    if (share > 0) {
                        long at = PIXEL_BYTES * ((long) (y - ascent + row) * frame.width() + x - left + column);
                        for (int channel = 0; channel < PIXEL_BYTES; channel++) {
                            int old = pixels.get(ValueLayout.JAVA_BYTE, at + channel) & 255;
                            int wanted = colour >> 8 * channel & 255;
                            byte mixed = (byte) ((old * (255 - share) + wanted * share + 127) / 255);
                            pixels.set(ValueLayout.JAVA_BYTE, at + channel, mixed);
                        }
                    }
                }
            }
        }
    }

    /**
     * The text with capital letters of so many pixels.
     *
     * @throws NoLettersException if there are no fonts
     */
    static synchronized Drawn draw(String text, int capital, boolean bold) throws NoLettersException {
        if (broken != null) {
            throw new NoLettersException(broken);
        }
        String key = capital + (bold ? "b" : "p") + text;
        Drawn known = DRAWN.get(key);
        if (known != null) {
            return known;
        }
        Drawn drawn;
        try {
            drawn = render(text, capital, bold);
        } catch (AWTError | HeadlessException | InternalError | LinkageError | NullPointerException
                | IllegalArgumentException e) {
            // The JDK tells of missing libraries and font settings in all these ways.
            broken = "no fonts can be used here (" + e + "), so labels that are not ASCII are drawn as code points:"
                    + " install fontconfig and fonts-dejavu-core";
            throw new NoLettersException(broken);
        }
        DRAWN.put(key, drawn);
        return drawn;
    }

    private static Drawn render(String given, int capital, boolean bold) throws NoLettersException {
        Font usual = new Font(Font.SANS_SERIF, bold ? Font.BOLD : Font.PLAIN, 100);
        double height = usual.createGlyphVector(CONTEXT, "H").getVisualBounds().getHeight();
        if (!(height > 0)) {
            throw new NoLettersException("no font has the letter H: install fonts-dejavu-core");
        }
        float size = (float) (100 * capital / height);
        List<Integer> unknown = given.codePoints().filter(c -> !isDisplayed(usual, c))
                .filter(c -> Stream.of(installed()).noneMatch(font -> isDisplayed(font, c))).distinct().boxed()
                .toList();
        String text = given.codePoints()
                .mapToObj(c -> unknown.contains(c) ? Lettering.codePoint(c) : Character.toString(c))
                .collect(Collectors.joining());
        AttributedString attributed = new AttributedString(text);
        int at = 0;
        while (at < text.length()) {
            Font font = fontFor(text, at, usual);
            int end = at;
            do {
                end += Character.charCount(text.codePointAt(end));
            } while (end < text.length() && isDisplayed(font, text.codePointAt(end))
                    && (font == usual || !isDisplayed(usual, text.codePointAt(end))
                            || Character.isWhitespace(text.codePointAt(end))));
            attributed.addAttribute(TextAttribute.FONT, font.deriveFont(size), at, end);
            at = end;
        }
        TextLayout layout = new TextLayout(attributed.getIterator(), CONTEXT);
        var bounds = layout.getPixelBounds(CONTEXT, 0, 0);
        int left = Math.max(0, -bounds.x);
        int ascent = Math.max(capital, -bounds.y);
        int width = Math.max(1, Math.max((int) Math.ceil(layout.getAdvance()), bounds.x + bounds.width) + left);
        int rows = Math.max(1, ascent + Math.max(0, bounds.y + bounds.height));
        BufferedImage image = new BufferedImage(width, rows, BufferedImage.TYPE_BYTE_GRAY);
        Graphics2D graphics = image.createGraphics();
        try {
            graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
            graphics.setRenderingHint(RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON);
            graphics.setColor(Color.WHITE);
            layout.draw(graphics, left, ascent);
        } finally {
            graphics.dispose();
        }
        byte[] coverage = ((DataBufferByte) image.getRaster().getDataBuffer()).getData();
        return new Drawn(width, rows, ascent, left, coverage.clone(), missing(unknown));
    }

    /** The usual font if it has the letter, else the first of the system that has it and those after it. */
    private static Font fontFor(String text, int at, Font usual) {
        int letter = text.codePointAt(at);
        if (isDisplayed(usual, letter)) {
            return usual;
        }
        Font best = usual;
        int most = 0;
        for (Font font : installed()) {
            int end = at;
            while (end < text.length() && isDisplayed(font, text.codePointAt(end))) {
                end += Character.charCount(text.codePointAt(end));
            }
            if (end - at > most) {
                most = end - at;
                best = font;
            }
        }
        return best;
    }

    private static Font[] installed() {
        if (installed == null) {
            installed = GraphicsEnvironment.getLocalGraphicsEnvironment().getAllFonts();
        }
        return installed;
    }

    private static boolean isDisplayed(Font font, int letter) {
        // Joiners have no image of their own; the fonts that use them need not have a glyph for them.
        return font.canDisplay(letter) || letter == 0x200c || letter == 0x200d;
    }

    private static String missing(List<Integer> letters) {
        if (letters.isEmpty()) {
            return "";
        }
        String shown = letters.stream().map(Character::toString).collect(Collectors.joining(" "));
        return "no font here has some letters of labels (" + shown + "), which are drawn as code points: install "
                + letters.stream().map(SystemFonts::packageOf).distinct().collect(Collectors.joining(" and "));
    }

    /** The Debian package with fonts for the script of a character. */
    private static String packageOf(int letter) {
        if (Character.isEmoji(letter)) {
            return "fonts-symbola";
        }
        return switch (UnicodeScript.of(letter)) {
            case HAN, HIRAGANA, KATAKANA, HANGUL, BOPOMOFO -> "fonts-noto-cjk";
            case LATIN, GREEK, CYRILLIC, COMMON -> "fonts-dejavu-core";
            default -> "fonts-noto-core";
        };
    }
}
