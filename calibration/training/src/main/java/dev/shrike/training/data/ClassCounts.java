package dev.shrike.training.data;

import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.data.DataSetException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How many objects of each class a data set has.
 *
 * @param names of the classes
 * @param objects of each class
 * @param images with an object of each class
 */
public record ClassCounts(List<String> names, List<Integer> objects, List<Integer> images) {
    /** Fewer images than these teach nothing. */
    public static final int LEAST_IMAGES = 8;
    /** A class with so many times the objects of another one is told. */
    private static final int IMBALANCE = 10;

    public ClassCounts {
        names = List.copyOf(names);
        objects = List.copyOf(objects);
        images = List.copyOf(images);
    }

    /** The counts of a data set. */
    public static ClassCounts of(DataSet data) {
        int[] objects = new int[data.categories().size()];
        int[] images = new int[objects.length];
        data.samples().forEach(sample -> {
            sample.boxes().stream().filter(box -> !box.crowd()).forEach(box -> objects[box.classId()]++);
            sample.boxes().stream().filter(box -> !box.crowd()).mapToInt(box -> box.classId()).distinct()
                    .forEach(id -> images[id]++);
        });
        return new ClassCounts(data.names(), java.util.Arrays.stream(objects).boxed().toList(),
                java.util.Arrays.stream(images).boxed().toList());
    }

    /**
     * Ends if nothing can be learned from the data set.
     *
     * @param labelled whether labels are needed
     * @throws DataSetException if there are too few images, or no object at all where labels are needed
     */
    public static ClassCounts require(DataSet data, boolean labelled) {
        if (data.samples().size() < LEAST_IMAGES) {
            throw new DataSetException(data.file() + ": " + data.samples().size() + " images are too few to train on;"
                    + " give " + LEAST_IMAGES + " or more, better some hundreds for each class");
        }
        ClassCounts counts = of(data);
        if (labelled && counts.objects().stream().allMatch(count -> count == 0)) {
            throw new DataSetException(data.file() + ": none of the " + data.samples().size()
                    + " images has a label, so there is nothing to learn; check where the labels are, or train"
                    + " without labels from a teacher");
        }
        return counts;
    }

    /** What people should know: classes without objects, and how uneven the others are. */
    public List<String> warnings() {
        List<String> warnings = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        int least = -1;
        int most = -1;
        for (int i = 0; i < names.size(); i++) {
            if (objects.get(i) == 0) {
                missing.add("'" + names.get(i) + "'");
                continue;
            }
            least = least < 0 || objects.get(i) < objects.get(least) ? i : least;
            most = most < 0 || objects.get(i) > objects.get(most) ? i : most;
        }
        if (!missing.isEmpty()) {
            warnings.add("no image has an object of " + String.join(", ", missing)
                    + ": the network will not find " + (missing.size() == 1 ? "it" : "them"));
        }
        if (least >= 0 && objects.get(most) > IMBALANCE * objects.get(least)) {
            warnings.add(String.format(Locale.ROOT, "'%s' has %.0f times the objects of '%s' (%d and %d)",
                    names.get(most), (double) objects.get(most) / objects.get(least), names.get(least),
                    objects.get(most), objects.get(least)));
        }
        return warnings;
    }

    /** A line for each class: its name, objects and images. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < names.size(); i++) {
            text.append(i == 0 ? "" : "\n").append(String.format(Locale.ROOT, "%s: %d objects in %d images",
                    names.get(i), objects.get(i), images.get(i)));
        }
        return text.toString();
    }
}
