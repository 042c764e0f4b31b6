package dev.shrike.calibration.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
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
 * {@code annotations} (image_id, category_id, bbox, area, iscrowd), in any order; everything else is passed over.
 */
final class CocoJson {
    /** A picture as the file states it. */
    private record Picture(String id, String name, int width, int height) {}

    /** An annotation whose picture and category may not have been read yet. */
    private record Annotation(int index, String image, int category, double[] box, double area, boolean crowd) {}

    private final Path file;
    private final JsonStream json;
    private final Map<String, Picture> pictures = new HashMap<>();
    private final Map<Integer, Category> categories = new TreeMap<>();
    private final List<Annotation> annotations = new ArrayList<>();
    private final Set<String> annotationIds = new HashSet<>();
    private final Set<String> sections = new HashSet<>();

    private CocoJson(Path file, JsonStream json) {
        this.file = file;
        this.json = json;
    }

    /**
     * The data set that the file describes.
     *
     * @param pictures folder that the names of pictures are relative to; null looks for it beside the file
     * @throws DataSetException if the file is missing, cut off or inconsistent; names the field
     */
    static DataSet read(Path file, Path pictures) {
        return JsonStream.read(file, json -> {
            CocoJson coco = new CocoJson(file, json);
            coco.readSections();
            return coco.dataSet(pictures);
        });
    }

    private void readSections() throws IOException {
        json.fields(section -> {
            switch (section) {
                case "images" -> section(section, this::readPicture);
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

    private void readPicture() throws IOException {
        String place = "images[" + pictures.size() + "]";
        String[] texts = new String[2];
        int[] size = new int[2];
        json.fields(field -> {
            switch (field) {
                case "id" -> texts[0] = json.id();
                case "file_name" -> texts[1] = json.text();
                case "width" -> size[0] = json.integer();
                case "height" -> size[1] = json.integer();
                default -> json.skip();
            }
        });
        require(texts[0], place, "id");
        require(texts[1], place, "file_name");
        if (size[0] < 0 || size[1] < 0) {
            throw json.broken(place, "has the size " + size[0] + "x" + size[1]);
        }
        if (pictures.put(texts[0], new Picture(texts[0], texts[1], size[0], size[1])) != null) {
            throw json.broken(place + ".id", texts[0] + " occurs twice");
        }
    }

    private void readCategory() throws IOException {
        String place = "categories[" + categories.size() + "]";
        Integer[] id = new Integer[1];
        String[] name = new String[1];
        json.fields(field -> {
            switch (field) {
                case "id" -> id[0] = json.integer();
                case "name" -> name[0] = json.text();
                default -> json.skip();
            }
        });
        require(id[0], place, "id");
        require(name[0], place, "name");
        if (categories.put(id[0], new Category(id[0], name[0])) != null) {
            throw json.broken(place + ".id", id[0] + " occurs twice");
        }
    }

    private void readAnnotation() throws IOException {
        String place = "annotations[" + annotations.size() + "]";
        String[] ids = new String[2];
        Integer[] category = new Integer[1];
        double[][] box = new double[1][];
        Double[] area = new Double[1];
        boolean[] crowd = new boolean[1];
        json.fields(field -> {
            switch (field) {
                case "id" -> ids[0] = json.id();
                case "image_id" -> ids[1] = json.id();
                case "category_id" -> category[0] = json.integer();
                case "bbox" -> json.numbers(box[0] = new double[4]);
                case "area" -> area[0] = json.number();
                case "iscrowd" -> crowd[0] = json.flag();
                default -> json.skip();
            }
        });
        require(ids[1], place, "image_id");
        require(category[0], place, "category_id");
        require(box[0], place, "bbox");
        if (ids[0] != null && !annotationIds.add(ids[0])) {
            throw json.broken(place + ".id", ids[0] + " occurs twice");
        }
        if (box[0][2] < 0 || box[0][3] < 0) {
            throw json.broken(place + ".bbox", "has a negative size: " + box[0][2] + " x " + box[0][3]);
        }
        double measured = area[0] == null ? box[0][2] * box[0][3] : area[0];
        if (!(measured >= 0 && Double.isFinite(measured))) {
            throw json.broken(place + ".area", "is " + measured);
        }
        annotations.add(new Annotation(annotations.size(), ids[1], category[0], box[0], measured, crowd[0]));
    }

    private void require(Object value, String place, String field) {
        if (value == null) {
            throw json.broken(place, "has no '" + field + "'");
        }
    }

    private DataSet dataSet(Path given) {
        List<Category> ordered = List.copyOf(categories.values());
        Map<Integer, Integer> positions = new HashMap<>();
        for (Category category : ordered) {
            positions.put(category.id(), positions.size());
        }
        Map<String, List<TrueBox>> boxes = new HashMap<>();
        for (Annotation annotation : annotations) {
            String place = "annotations[" + annotation.index() + "]";
            Integer position = positions.get(annotation.category());
            if (position == null) {
                throw json.broken(place + ".category_id", annotation.category() + " is none of the categories");
            }
            if (!pictures.containsKey(annotation.image())) {
                throw json.broken(place + ".image_id", annotation.image() + " is none of the images");
            }
            double[] box = annotation.box();
            boxes.computeIfAbsent(annotation.image(), _ -> new ArrayList<>()).add(new TrueBox(
                    position, box[0], box[1], box[2], box[3], annotation.area(), annotation.crowd()));
        }
        Path folder = given == null ? findFolder() : given;
        List<Sample> samples = new ArrayList<>(pictures.size());
        for (Picture picture : pictures.values()) {
            samples.add(new Sample(
                    picture.id(),
                    within(folder, picture),
                    picture.width(),
                    picture.height(),
                    false,
                    boxes.getOrDefault(picture.id(), List.of())));
        }
        samples.sort(Comparator.comparing(Sample::id, PictureIds.ORDER));
        return new DataSet(file, ordered, samples);
    }

    /** The first folder, of those where pictures usually lie, that has one of the pictures; else the file's own. */
    private Path findFolder() {
        Path own = file.toAbsolutePath().getParent();
        String stem = file.getFileName().toString().replaceFirst("\\.json(\\.gz)?$", "");
        String split = stem.replaceFirst("^(instances|person_keypoints|annotations)_", "");
        for (String candidate : List.of(".", split, "images", "images/" + split, "../" + split, "../images",
                "../images/" + split)) {
            Path folder = own.resolve(candidate).normalize();
            // One may be missing by mistake, and that is for the reader of pictures to say; ten are no mistake.
            boolean here = pictures.values().stream().limit(10)
                    .anyMatch(picture -> Files.isRegularFile(within(folder, picture)));
            if (here) {
                return folder;
            }
        }
        return own;
    }

    /** The picture's path; a name that leads out of the folder is refused. */
    private Path within(Path folder, Picture picture) {
        try {
            Path path = folder.resolve(picture.name()).normalize();
            if (!picture.name().isBlank() && path.startsWith(folder.normalize()) && !path.equals(folder.normalize())) {
                return path;
            }
        } catch (InvalidPathException e) {
            // told below
        }
        throw new DataSetException(file + ": the file_name '" + picture.name() + "' of image " + picture.id()
                + " does not name a file within the folder of pictures");
    }
}
