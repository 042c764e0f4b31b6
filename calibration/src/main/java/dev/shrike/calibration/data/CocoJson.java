package dev.shrike.calibration.data;

import dev.shrike.calibration.data.CocoEntry.FlawException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Reads COCO's instances JSON: {@code images} (id, file_name, width, height), {@code categories} (id, name) and
 * {@code annotations} (image_id, category_id, bbox, area, iscrowd), in any order; everything else is passed over. An
 * entry that is broken is left out, and the image with it whose objects are then not all known.
 */
final class CocoJson {
    private static final Set<String> IMAGE = Set.of("id", "file_name", "width", "height");
    private static final Set<String> CATEGORY = Set.of("id", "name", "supercategory");
    private static final Set<String> ANNOTATION = Set.of("id", "image_id", "category_id", "bbox", "area", "iscrowd");
    private static final String NONE = "none";

    /** An image as the file states it. */
    record Image(String id, String name, int width, int height) {}

    /** An annotation whose image and category may not have been read yet. */
    private record Annotation(int index, String image, int category, double[] box, double area, boolean crowd) {}

    private final Path file;
    private final JsonStream json;
    private final Map<String, Image> images = new HashMap<>();
    private final Map<Integer, Category> categories = new TreeMap<>();
    private final Map<Integer, String> parents = new HashMap<>();
    private final List<Annotation> annotations = new ArrayList<>();
    private final Map<String, Annotation> annotationIds = new HashMap<>();
    private final Set<String> sections = new HashSet<>();
    private final CocoEntry.Problems problems;
    /** Ids of images that are left out. */
    private final Set<String> flawed = new HashSet<>();
    /** Ids of all images, sound or not. */
    private final Set<String> named = new HashSet<>();
    private int imageEntries;
    private int categoryEntries;
    private int annotationEntries;
    private int unnamed;

    private CocoJson(Path file, JsonStream json) {
        this.file = file;
        this.json = json;
        this.problems = new CocoEntry.Problems(file.toString());
    }

    /**
     * The data set that the file describes.
     *
     * @param images folder that the names of images are relative to; null looks for it beside the file
     * @throws DataSetException if the file is missing, cut off, no COCO instances file or has broken categories
     */
    static DataSet read(Path file, Path images) {
        return JsonStream.read(file, json -> {
            CocoJson coco = new CocoJson(file, json);
            coco.readSections();
            return coco.dataSet(images);
        });
    }

    private void readSections() throws IOException {
        json.fields(section -> {
            switch (section) {
                case "images" -> section(section, this::readImage);
                case "categories" -> section(section, this::readCategory);
                case "annotations" -> section(section, this::readAnnotation);
                default -> json.skip();
            }
        });
        for (String needed : List.of("images", "categories", "annotations")) {
            if (!sections.contains(needed)) {
                throw new DataSetException(file + ": has no '" + needed + "': it is no COCO instances file");
            }
        }
    }

    private void section(String name, JsonStream.Visitor visitor) throws IOException {
        if (!sections.add(name)) {
            throw new DataSetException(file + ": has '" + name + "' twice");
        }
        json.elements(visitor);
    }

    private void readImage() throws IOException {
        CocoEntry entry = CocoEntry.read(json, "images[" + imageEntries++ + "]", IMAGE);
        String id = null;
        try {
            id = entry.id("id");
            named.add(id);
            Image image = new Image(id, entry.text("file_name"), entry.side("width"), entry.side("height"));
            Image other = images.putIfAbsent(id, image);
            if (image.equals(other)) {
                problems.add(Problem.Kind.DUPLICATE, "images[" + (imageEntries - 1) + "] is there before");
            } else if (other != null) {
                // Whose annotations are those of this id?
                throw entry.flaw(".id " + id + " occurs twice");
            }
        } catch (FlawException e) {
            problems.add(Problem.Kind.BROKEN_ENTRY, e.getMessage());
            if (id == null) {
                unnamed++;
            } else {
                flawed.add(id);
            }
        }
    }

    private void readCategory() throws IOException {
        String place = "categories[" + categoryEntries++ + "]";
        CocoEntry entry = CocoEntry.read(json, place, CATEGORY);
        try {
            Category category = new Category(entry.integer("id"), entry.text("name"));
            Category other = categories.putIfAbsent(category.id(), category);
            parents.putIfAbsent(category.id(), entry.optionalText("supercategory"));
            if (category.equals(other)) {
                problems.add(Problem.Kind.DUPLICATE, place + " is there before");
            } else if (other != null) {
                throw entry.flaw(".id " + category.id() + " occurs twice");
            }
        } catch (FlawException e) {
            // Every figure depends on the categories.
            throw new DataSetException(file + ": " + e.getMessage(), e);
        }
    }

    private void readAnnotation() throws IOException {
        int index = annotationEntries++;
        CocoEntry entry = CocoEntry.read(json, "annotations[" + index + "]", ANNOTATION);
        String image = null;
        try {
            image = entry.id("image_id");
            double[] box = entry.box("bbox");
            Annotation annotation = new Annotation(index, image, entry.integer("category_id"), box,
                    entry.area("area", box), entry.flag("iscrowd"));
            if (!isRepeated(entry, annotation)) {
                annotations.add(annotation);
            }
        } catch (FlawException e) {
            problems.add(Problem.Kind.BROKEN_ENTRY, e.getMessage());
            if (image != null) {
                flawed.add(image);
            }
        }
    }

    /** Whether an annotation of the same id says the same; others of one id both count, as nothing refers to the id. */
    private boolean isRepeated(CocoEntry entry, Annotation annotation) {
        Annotation other;
        try {
            other = annotationIds.putIfAbsent(entry.id("id"), annotation);
        } catch (FlawException e) {
            return false;
        }
        if (other == null) {
            return false;
        }
        boolean same = other.image().equals(annotation.image()) && other.category() == annotation.category()
                && java.util.Arrays.equals(other.box(), annotation.box());
        problems.add(Problem.Kind.DUPLICATE, "annotations[" + annotation.index() + "]"
                + (same ? " is there before" : " has the id of another one; both count"));
        return same;
    }

    private DataSet dataSet(Path given) {
        dropRoot();
        List<Category> ordered = List.copyOf(categories.values());
        Map<String, List<GroundTruth>> boxes = boxes(ordered);
        CocoImages files = new CocoImages(file, given, images.values());
        List<Sample> samples = new ArrayList<>(images.size());
        int labelled = 0;
        for (Image image : images.values()) {
            Path path = flawed.contains(image.id()) ? null : files.path(image);
            if (path == null) {
                if (flawed.add(image.id())) {
                    problems.add(Problem.Kind.BROKEN_ENTRY, "the file_name '" + image.name() + "' of image "
                            + image.id() + " does not name a file within the folder of images");
                }
                continue;
            }
            List<GroundTruth> own = boxes.getOrDefault(image.id(), List.of());
            labelled += own.isEmpty() ? 0 : 1;
            samples.add(new Sample(image.id(), path, image.width(), image.height(), false, own));
        }
        samples.sort(Comparator.comparing(Sample::id, ImageIds.ORDER));
        flawed.retainAll(named);
        int all = samples.size() + flawed.size() + unnamed;
        Census census = new Census(all, labelled, samples.size() - labelled, 0, flawed.size() + unnamed, 0);
        return new DataSet(file, ordered, samples, census, problems.all());
    }

    private Map<String, List<GroundTruth>> boxes(List<Category> ordered) {
        Map<Integer, Integer> positions = new HashMap<>();
        for (Category category : ordered) {
            positions.put(category.id(), positions.size());
        }
        Map<String, List<GroundTruth>> boxes = new HashMap<>();
        for (Annotation annotation : annotations) {
            String place = "annotations[" + annotation.index() + "]";
            Integer position = positions.get(annotation.category());
            if (!images.containsKey(annotation.image())) {
                if (!flawed.contains(annotation.image())) {
                    problems.add(Problem.Kind.BROKEN_ENTRY,
                            place + ".image_id " + annotation.image() + " is none of the images");
                }
            } else if (position == null) {
                flawed.add(annotation.image());
                problems.add(Problem.Kind.UNKNOWN_CLASS,
                        place + ".category_id " + annotation.category() + " is none of the categories");
            } else {
                double[] box = annotation.box();
                boxes.computeIfAbsent(annotation.image(), _ -> new ArrayList<>()).add(new GroundTruth(
                        position, box[0], box[1], box[2], box[3], annotation.area(), annotation.crowd()));
            }
        }
        return boxes;
    }

    /**
     * Takes the category 0 away that Roboflow writes as the parent of all others: nothing is annotated with it, and it
     * alone has no parent.
     */
    private void dropRoot() {
        boolean root = categories.containsKey(0) && NONE.equalsIgnoreCase(parents.get(0)) && categories.size() > 1
                && parents.entrySet().stream().noneMatch(
                        entry -> entry.getKey() != 0 && (entry.getValue().isBlank()
                                || NONE.equalsIgnoreCase(entry.getValue())))
                && annotations.stream().noneMatch(annotation -> annotation.category() == 0);
        if (root) {
            categories.remove(0);
        }
    }
}
