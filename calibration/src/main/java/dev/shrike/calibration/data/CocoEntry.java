package dev.shrike.calibration.data;

import java.io.IOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One object of a list in COCO JSON, with those of its fields that are of use, whatever they hold: that something is
 * wrong with it is found out afterwards, and ends nothing.
 */
final class CocoEntry {
    private final String place;
    private final Map<String, Object> fields;

    private CocoEntry(String place, Map<String, Object> fields) {
        this.place = place;
        this.fields = fields;
    }

    /** What cannot be understood of an entry. */
    static final class FlawException extends Exception {
        private static final long serialVersionUID = 1L;

        FlawException(String message) {
            super(message, null, false, false);
        }
    }

    /**
     * The value at hand.
     *
     * @param place what to call it in messages, {@code images[3]}
     * @param wanted fields that are of use
     */
    static CocoEntry read(JsonStream json, String place, Set<String> wanted) throws IOException {
        Map<String, Object> fields = new HashMap<>();
        if (!json.isObject()) {
            json.skip();
            return new CocoEntry(place, fields);
        }
        json.fields(field -> {
            if (wanted.contains(field)) {
                fields.put(field, json.value());
            } else {
                json.skip();
            }
        });
        return new CocoEntry(place, fields);
    }

    FlawException flaw(String what) {
        return new FlawException(place + what);
    }

    /** An id: a whole number in its shortest form, or a text. */
    String id(String field) throws FlawException {
        return switch (fields.get(field)) {
            case String text when !text.isBlank() -> text.strip();
            case Number number when isWhole(number) -> shortest(number);
            case Object other -> throw flaw("." + field + " is " + shown(other) + ", not an id");
            case null -> throw missing(field);
        };
    }

    /** A whole number, also where it is written as a text. */
    int integer(String field) throws FlawException {
        String text = switch (fields.get(field)) {
            case Number number when isWhole(number) -> shortest(number);
            case String digits -> digits.strip();
            case Object other -> shown(other);
            case null -> throw missing(field);
        };
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw flaw("." + field + " is " + shown(fields.get(field)) + ", not a whole number");
        }
    }

    String text(String field) throws FlawException {
        return switch (fields.get(field)) {
            case String text when !text.isBlank() -> text;
            case Object other -> throw flaw("." + field + " is " + shown(other) + ", not a text");
            case null -> throw missing(field);
        };
    }

    /** A text or nothing. */
    String optionalText(String field) {
        return fields.get(field) instanceof String text ? text : "";
    }

    /** A side of an image in pixels, or 0 where none is stated that can be one. */
    int side(String field) {
        return fields.get(field) instanceof Number number && isWhole(number) && number.doubleValue() > 0
                && number.doubleValue() <= Integer.MAX_VALUE ? number.intValue() : 0;
    }

    boolean flag(String field) {
        return switch (fields.get(field)) {
            case Boolean set -> set;
            case Number number -> number.doubleValue() != 0;
            case String text -> text.strip().equals("1") || text.strip().equalsIgnoreCase("true");
            case Object _ -> false;
            case null -> false;
        };
    }

    /** Left, top, width and height. */
    double[] box(String field) throws FlawException {
        if (!fields.containsKey(field)) {
            throw missing(field);
        }
        if (!(fields.get(field) instanceof List<?> list)) {
            throw flaw("." + field + " is " + shown(fields.get(field)) + ", not an array");
        }
        if (list.size() != 4) {
            throw flaw("." + field + " has " + list.size() + " numbers, not 4");
        }
        double[] box = new double[4];
        for (int i = 0; i < 4; i++) {
            if (!(list.get(i) instanceof Number number)) {
                throw flaw("." + field + "[" + i + "] is " + shown(list.get(i)) + ", not a number");
            }
            box[i] = number.doubleValue();
            if (!(Math.abs(box[i]) < 1e9)) {
                throw flaw("." + field + "[" + i + "] is too large a number");
            }
        }
        if (box[2] < 0 || box[3] < 0) {
            throw flaw("." + field + " has a negative size: " + box[2] + " x " + box[3]);
        }
        return box;
    }

    /** The area that is stated, or that of the box where none is. */
    double area(String field, double[] box) throws FlawException {
        return switch (fields.get(field)) {
            case Number number when number.doubleValue() >= 0 && number.doubleValue() < 1e18 -> number.doubleValue();
            case Object other -> throw flaw("." + field + " is " + shown(other));
            case null -> box[2] * box[3];
        };
    }

    private FlawException missing(String field) {
        return flaw(fields.containsKey(field) ? "." + field + " is null" : " has no '" + field + "'");
    }

    private static boolean isWhole(Number number) {
        double value = number.doubleValue();
        return Double.isFinite(value) && value == Math.rint(value) && Math.abs(value) < 1e18;
    }

    private static String shortest(Number number) {
        return new BigDecimal(number.toString()).toBigInteger().toString();
    }

    private static String shown(Object value) {
        return switch (value) {
            case null -> "null";
            case String text -> "the text '" + (text.length() <= 40 ? text : text.substring(0, 40) + "…") + "'";
            case List<?> _ -> "an array";
            case JsonStream.Other _ -> "an object";
            default -> value.toString();
        };
    }

    /** Entries of a list that a reader has taken so far. */
    static final class Problems {
        private final String file;
        private final List<Problem> all = new ArrayList<>();

        Problems(String file) {
            this.file = file;
        }

        void add(Problem.Kind kind, String message) {
            all.add(new Problem(kind, file + ": " + message));
        }

        List<Problem> all() {
            return List.copyOf(all);
        }
    }
}
