package dev.shrike.sources;

import dev.shrike.PixelFormat;
import dev.shrike.SourceException;
import java.util.Locale;

/**
 * What {@code test://pattern?size=640x480&fps=25&seed=1&frames=100&format=i420} stands for.
 *
 * @param name the URI
 * @param width in pixels
 * @param height in pixels
 * @param rate frames a second; 0 for as many as are taken
 * @param seed where the pattern begins
 * @param frames how many there are; 0 for no end
 * @param format of the pixels
 */
record TestPattern(String name, int width, int height, double rate, int seed, long frames, PixelFormat format) {
    private static final int LARGEST = 1 << 14;
    private static final String FORM = "test://pattern?size=640x480&fps=25&seed=1&frames=100&format=i420";

    /** @throws SourceException if what follows {@code test://} is none */
    static TestPattern parse(String rest) {
        String name = "test://" + rest;
        int query = rest.indexOf('?');
        if (!(query < 0 ? rest : rest.substring(0, query)).equals("pattern")) {
            throw wrong(name, "there is one pattern");
        }
        TestPattern pattern = new TestPattern(name, 640, 480, 25, 1, 0, PixelFormat.I420);
        for (String setting : query < 0 ? new String[0] : rest.substring(query + 1).split("&")) {
            pattern = pattern.with(setting);
        }
        return pattern;
    }

    private TestPattern with(String setting) {
        String key = setting.substring(0, Math.max(0, setting.indexOf('=')));
        String value = setting.substring(setting.indexOf('=') + 1);
        try {
            return switch (key) {
                case "size" -> sized(value);
                case "fps" -> {
                    double fps = Double.parseDouble(value);
                    if (!(fps >= 0 && fps <= 10_000)) {
                        throw wrong(name, "fps is 0 to 10000");
                    }
                    yield new TestPattern(name, width, height, fps, seed, frames, format);
                }
                case "seed" -> new TestPattern(name, width, height, rate, Integer.parseInt(value), frames, format);
                case "frames" ->
                    new TestPattern(name, width, height, rate, seed, Long.parseUnsignedLong(value), format);
                case "format" -> new TestPattern(name, width, height, rate, seed, frames, formatOf(value));
                default -> throw wrong(name, "'" + setting + "' is no setting");
            };
        } catch (NumberFormatException e) {
            throw wrong(name, "'" + setting + "' has no number");
        }
    }

    private TestPattern sized(String value) {
        if (!value.matches("[0-9]{1,5}x[0-9]{1,5}")) {
            throw wrong(name, "a size is WIDTHxHEIGHT");
        }
        int x = value.indexOf('x');
        int newWidth = Integer.parseInt(value.substring(0, x));
        int newHeight = Integer.parseInt(value.substring(x + 1));
        if (newWidth < 16 || newHeight < 16 || newWidth > LARGEST || newHeight > LARGEST) {
            throw wrong(name, "width and height are 16 to " + LARGEST);
        }
        return new TestPattern(name, newWidth, newHeight, rate, seed, frames, format);
    }

    private PixelFormat formatOf(String value) {
        for (PixelFormat one : PixelFormat.values()) {
            if (one != PixelFormat.MJPEG && one.name().toLowerCase(Locale.ROOT).equals(value)) {
                return one;
            }
        }
        throw wrong(name, "format is one of bgr, rgb, grey, yuyv, uyvy, nv12, i420");
    }

    private static SourceException wrong(String name, String why) {
        return new SourceException(name + ": " + why + "; as in " + FORM);
    }
}
