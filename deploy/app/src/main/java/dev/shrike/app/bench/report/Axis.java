package dev.shrike.app.bench.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A linear axis from values to pixels, with round numbers at its ticks.
 *
 * @param low value at its beginning
 * @param high value at its end, more than the low one
 * @param from pixel of the low value
 * @param to pixel of the high value
 */
record Axis(double low, double high, double from, double to) {
    private static final double TICKS = 6;

    /** An axis that holds these values; they may be equal. */
    static Axis of(double low, double high, double from, double to) {
        double room = high > low ? 0 : Math.max(Math.abs(low) * 0.05, 1e-6);
        return new Axis(low - room, high + room, from, to);
    }

    /** The pixel of a value. */
    double at(double value) {
        return from + (value - low) / (high - low) * (to - from);
    }

    /** The round values within it. */
    List<Double> ticks() {
        double step = step();
        List<Double> ticks = new ArrayList<>();
        for (double tick = Math.ceil(low / step) * step; tick <= high + step * 1e-9; tick += step) {
            ticks.add(tick);
        }
        return ticks;
    }

    private double step() {
        double raw = (high - low) / TICKS;
        double power = Math.pow(10, Math.floor(Math.log10(raw)));
        double digit = raw / power;
        return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
    }

    /** The text of a tick. */
    String label(double tick) {
        int digits = (int) Math.clamp(-Math.floor(Math.log10(step())), 0, 6);
        return String.format(Locale.ROOT, "%." + digits + "f", tick + 0.0);
    }
}
