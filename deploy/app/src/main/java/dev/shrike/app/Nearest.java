package dev.shrike.app;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** The word that was probably meant. */
public final class Nearest {
    private Nearest() {}

    /** The candidate that takes the fewest changes of a letter to become the word, if these are few. */
    public static Optional<String> of(String word, Collection<String> candidates) {
        int most = Math.max(1, word.length() / 3);
        String wanted = word.toLowerCase(Locale.ROOT);
        return candidates.stream().filter(candidate -> changes(wanted, candidate.toLowerCase(Locale.ROOT)) <= most)
                .min(Comparator.comparingInt(candidate -> changes(wanted, candidate.toLowerCase(Locale.ROOT))));
    }

    /** Levenshtein's distance, in which two neighbours that changed places are one change. */
    static int changes(String from, String to) {
        int[] twoBefore = {};
        int[] before = new int[to.length() + 1];
        for (int j = 0; j <= to.length(); j++) {
            before[j] = j;
        }
        for (int i = 1; i <= from.length(); i++) {
            int[] row = new int[to.length() + 1];
            row[0] = i;
            for (int j = 1; j <= to.length(); j++) {
                int replaced = before[j - 1] + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, 1 + Math.min(before[j], row[j - 1]));
                if (i > 1 && j > 1 && from.charAt(i - 1) == to.charAt(j - 2)
                        && from.charAt(i - 2) == to.charAt(j - 1)) {
                    row[j] = Math.min(row[j], 1 + twoBefore[j - 2]);
                }
            }
            twoBefore = before;
            before = row;
        }
        return before[to.length()];
    }
}
