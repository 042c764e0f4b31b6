package dev.shrike.app.serve.config;

import java.util.List;
import java.util.Locale;

/** What a setting may be. */
sealed interface Kind {
    /** Longest text. */
    int MOST_LETTERS = 4096;

    /** Most items of a list. */
    int MOST_ITEMS = 256;

    /** What it takes, for people. */
    String words();

    /** Any text. */
    record Text() implements Kind {
        @Override
        public String words() {
            return "text";
        }
    }

    /** A text that nobody is shown. */
    record Secret() implements Kind {
        @Override
        public String words() {
            return "text, best as \"{VARIABLE}\"";
        }
    }

    /** A whole number within bounds. */
    record Whole(long least, long most) implements Kind {
        @Override
        public String words() {
            return "a whole number from " + least + " to " + most;
        }
    }

    /** A number within bounds. */
    record Real(double least, double most) implements Kind {
        @Override
        public String words() {
            return String.format(Locale.ROOT, "a number from %s to %s", shown(least), shown(most));
        }

        private static String shown(double value) {
            return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
        }
    }

    /** Yes or no. */
    record Flag() implements Kind {
        @Override
        public String words() {
            return "true or false";
        }
    }

    /** One of some words. */
    record Choice(List<String> choices) implements Kind {
        public Choice {
            choices = List.copyOf(choices);
        }

        @Override
        public String words() {
            return String.join(", ", choices.subList(0, choices.size() - 1)) + " or " + choices.getLast();
        }
    }

    /** A list of texts. */
    record Texts() implements Kind {
        @Override
        public String words() {
            return "a list of texts";
        }
    }
}
