package dev.shrike.calibration.data;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Which classes of a model are which of a data set: those of the same name, else those whose names differ in case and
 * blanks alone where only one does. By order only where that was asked for, or where the model has no names.
 */
final class ClassMatching {
    private static final int SHOWN = 200;

    private final DataSet data;
    private final List<String> labels;
    private final List<String> names;
    private final int[] classes;

    private ClassMatching(DataSet data, List<String> labels) {
        this.data = data;
        this.labels = labels;
        this.names = data.names();
        this.classes = new int[labels.size()];
    }

    static int[] match(DataSet data, List<String> labels, boolean byOrder) {
        ClassMatching matching = new ClassMatching(data, labels);
        return byOrder || matching.modelHasNoNames() ? matching.byOrder() : matching.byName();
    }

    /** What a model without names in its file calls them. */
    private boolean modelHasNoNames() {
        for (int i = 0; i < labels.size(); i++) {
            if (!labels.get(i).equals("class" + i) && !labels.get(i).equals(String.valueOf(i))) {
                return false;
            }
        }
        return !names.equals(labels);
    }

    private int[] byOrder() {
        if (labels.size() != names.size()) {
            throw new DataSetException(data.file() + ": has " + names.size() + " classes, the model has "
                    + labels.size() + ", so they cannot be matched by order" + lists());
        }
        for (int i = 0; i < classes.length; i++) {
            classes[i] = i;
        }
        return classes;
    }

    private int[] byName() {
        Arrays.fill(classes, -1);
        boolean[] matched = new boolean[names.size()];
        pair(matched, UnaryOperator.identity(), false);
        pair(matched, ClassMatching::plain, true);
        List<String> unknown = new ArrayList<>();
        for (int i = 0; i < matched.length; i++) {
            if (!matched[i]) {
                unknown.add("'" + names.get(i) + "'");
            }
        }
        if (unknown.isEmpty()) {
            return classes;
        }
        String which = unknown.size() == 1 ? "the class " + unknown.getFirst() + " is"
                : unknown.size() + " of its classes, " + unknown.getFirst() + " first, are";
        throw new DataSetException(data.file() + ": " + which + " not among those of the model"
                + advice() + lists());
    }

    /** By order is no way out where those of the same name have other numbers. */
    private String advice() {
        for (int label = 0; label < classes.length; label++) {
            if (classes[label] >= 0 && classes[label] != label) {
                return "; the order differs as well ('" + labels.get(label) + "' is class " + classes[label]
                        + " of the data set and " + label + " of the model), so give them the names that the model has,"
                        + " or a model that was trained on such data";
            }
        }
        return labels.size() == names.size()
                ? "; if they are the same in the same order under other names, say --classes-by-order"
                : ": give them the names that the model has, or a model that was trained on such data";
    }

    /** Pairs what is still alone and of the same key; of several, in their order, or not at all. */
    private void pair(boolean[] matched, UnaryOperator<String> key, boolean uniqueOnly) {
        Map<String, Deque<Integer>> alone = new HashMap<>();
        for (int i = 0; i < matched.length; i++) {
            if (!matched[i]) {
                alone.computeIfAbsent(key.apply(names.get(i)), _ -> new ArrayDeque<>()).add(i);
            }
        }
        Map<String, Integer> uses = new HashMap<>();
        for (int label = 0; label < classes.length; label++) {
            if (classes[label] < 0) {
                uses.merge(key.apply(labels.get(label)), 1, Integer::sum);
            }
        }
        for (int label = 0; label < classes.length; label++) {
            String text = key.apply(labels.get(label));
            Deque<Integer> candidates = alone.get(text);
            boolean free = classes[label] < 0 && candidates != null && !candidates.isEmpty();
            if (free && (!uniqueOnly || candidates.size() == 1 && uses.get(text) == 1)) {
                classes[label] = candidates.remove();
                matched[classes[label]] = true;
            }
        }
    }

    private static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[\\s_-]+", "");
    }

    private String lists() {
        return ". Data set: " + shown(names) + ". Model: " + shown(labels);
    }

    private static String shown(List<String> list) {
        String text = String.join(", ", list.subList(0, Math.min(SHOWN, list.size())));
        return list.size() <= SHOWN ? text : text + ", … (" + list.size() + ")";
    }
}
