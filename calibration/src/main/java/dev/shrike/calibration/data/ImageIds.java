package dev.shrike.calibration.data;

import java.util.Comparator;

/** The order of image ids: numbers by value, before texts. The order decides between equal scores. */
final class ImageIds {
    static final Comparator<String> ORDER = Comparator.comparing((String id) -> !isNumber(id))
            .thenComparingLong(id -> isNumber(id) ? Long.parseLong(id) : 0).thenComparing(Comparator.naturalOrder());

    private ImageIds() {}

    /** Whether the id is a whole number in its shortest form, which JSON holds without quotes. */
    static boolean isNumber(String id) {
        return id.matches("0|-?[1-9][0-9]{0,17}");
    }
}
