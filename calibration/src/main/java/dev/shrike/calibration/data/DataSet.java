package dev.shrike.calibration.data;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Pictures and the objects in them. Pictures stay on disk; only boxes are in memory.
 *
 * @param file what described it, for messages
 * @param categories kinds of objects, by ascending id; a class id everywhere else is a position in this list
 * @param samples pictures, by ascending id
 */
public record DataSet(Path file, List<Category> categories, List<Sample> samples) {
    public DataSet {
        Objects.requireNonNull(file, "file");
        categories = List.copyOf(categories);
        samples = List.copyOf(samples);
    }

    /**
     * For each class of a model the position of its category, or -1 if the data set lacks it. They are matched by name
     * if the model knows every category's name, else by order if both are as many.
     *
     * @throws DataSetException if they cannot be matched
     */
    public int[] classesOf(List<String> labels) {
        Map<String, Integer> positions = new HashMap<>();
        for (int i = 0; i < categories.size(); i++) {
            positions.put(categories.get(i).name(), i);
        }
        int[] classes = new int[labels.size()];
        int matched = 0;
        for (int label = 0; label < classes.length; label++) {
            // Removed, so that of two labels of one name only the first counts.
            Integer position = positions.remove(labels.get(label));
            classes[label] = position == null ? -1 : position;
            matched += position == null ? 0 : 1;
        }
        if (matched == categories.size()) {
            return classes;
        }
        if (labels.size() != categories.size()) {
            throw new DataSetException(file + ": has " + categories.size() + " categories, the model has "
                    + labels.size() + " classes and none named '" + positions.keySet().iterator().next()
                    + "': this model was trained on other data");
        }
        for (int label = 0; label < classes.length; label++) {
            classes[label] = label;
        }
        return classes;
    }

    /** Names of the categories, by class id. */
    public List<String> names() {
        return categories.stream().map(Category::name).toList();
    }

    /**
     * Fails unless there is every picture.
     *
     * @throws DataSetException if not; says how many are missing and names the first
     */
    public DataSet requirePictures() {
        List<Path> missing = new ArrayList<>();
        for (Sample sample : samples) {
            if (!Files.isRegularFile(sample.file())) {
                missing.add(sample.file());
            }
        }
        if (!missing.isEmpty()) {
            throw new DataSetException(file + ": " + missing.size() + " of " + samples.size()
                    + " pictures are missing, the first is " + missing.getFirst()
                    + "; say with --images where the pictures are");
        }
        if (samples.isEmpty()) {
            throw new DataSetException(file + ": the data set has no pictures");
        }
        return this;
    }
}
