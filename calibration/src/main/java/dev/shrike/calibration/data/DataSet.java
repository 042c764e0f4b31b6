package dev.shrike.calibration.data;

import java.nio.file.Files;
import java.util.ArrayList;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * Images and the objects in them. Images stay on disk; only boxes are in memory. What is broken is left out and
 * told by {@link #problems}.
 *
 * @param file what described it, for messages
 * @param categories kinds of objects, by ascending id; a class id everywhere else is a position in this list
 * @param samples images whose objects are known, by ascending id
 * @param census what it consists of, with what is left out
 * @param problems what was left out and why
 */
public record DataSet(
        Path file, List<Category> categories, List<Sample> samples, Census census, List<Problem> problems) {
    public DataSet {
        Objects.requireNonNull(file, "file");
        Objects.requireNonNull(census, "census");
        categories = List.copyOf(categories);
        samples = List.copyOf(samples);
        problems = List.copyOf(problems);
    }

    /** A data set with nothing left out. */
    public DataSet(Path file, List<Category> categories, List<Sample> samples) {
        this(file, categories, samples, census(samples), List.of());
    }

    private static Census census(List<Sample> samples) {
        int labelled = (int) samples.stream().filter(sample -> !sample.boxes().isEmpty()).count();
        return new Census(samples.size(), labelled, samples.size() - labelled, 0, 0, 0);
    }

    /** The same with these images only and further problems. */
    public DataSet with(List<Sample> fewer, List<Problem> further) {
        List<Problem> all = new ArrayList<>(problems);
        all.addAll(further);
        return new DataSet(file, categories, fewer, census, all);
    }

    /** As {@link #classesOf(List, boolean)}, by name. */
    public int[] classesOf(List<String> labels) {
        return classesOf(labels, false);
    }

    /**
     * For each class of a model the position of its category, or -1 if the data set lacks it. They are matched by name,
     * where one alone is alike whatever its case and blanks; a model without names is matched by order.
     *
     * @param byOrder whether they are matched by order, whatever their names
     * @throws DataSetException if one of the categories has no class, or by order if they are not as many; names both
     *     lists
     */
    public int[] classesOf(List<String> labels, boolean byOrder) {
        return ClassMatching.match(this, labels, byOrder);
    }

    /** Names of the categories, by class id. */
    public List<String> names() {
        return categories.stream().map(Category::name).toList();
    }

    /**
     * The data set without the images that do not exist, each of them a problem.
     *
     * @throws DataSetException if there is none; says how many are missing and names the first
     */
    public DataSet requireImages() {
        List<Sample> present = new ArrayList<>();
        List<Problem> missing = new ArrayList<>();
        for (Sample sample : samples) {
            if (Files.isRegularFile(sample.file())) {
                present.add(sample);
            } else {
                missing.add(new Problem(Problem.Kind.MISSING_IMAGE, sample.file() + ": the image is missing"));
            }
        }
        if (!present.isEmpty()) {
            List<Sample> gone = samples.stream().filter(sample -> !Files.isRegularFile(sample.file())).toList();
            DataSet rest = with(present, missing);
            return gone.isEmpty() ? rest
                    : new DataSet(file, categories, present, census.without(gone), rest.problems());
        }
        if (!missing.isEmpty()) {
            boolean images = !file.toString().toLowerCase(java.util.Locale.ROOT).matches(".*\\.ya?ml");
            throw new DataSetException(file + ": " + missing.size() + " of " + samples.size()
                    + " images are missing, the first is " + samples.getFirst().file()
                    + (images ? "; say with --images where the images are" : ""));
        }
        if (!problems.isEmpty()) {
            throw new DataSetException(file + ": all images are left out, the first because of "
                    + problems.getFirst().message());
        }
        throw new DataSetException(file + ": the data set has no images");
    }
}
