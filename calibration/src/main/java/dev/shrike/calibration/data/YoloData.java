package dev.shrike.calibration.data;

import dev.shrike.vision.Images;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Reads YOLO's {@code data.yaml}: {@code path} (root, relative to the file), {@code train}, {@code val}, {@code test}
 * (each a folder of images, a text file that lists them, or several of these), {@code names} (a list, or a map from
 * class id) and, if stated, {@code nc}. The labels of {@code images/a/b.jpg} are in {@code labels/a/b.txt}; without
 * that file the image has none.
 */
final class YoloData {
    private final Path file;
    private final Path folder;
    private final Map<?, ?> yaml;

    private YoloData(Path file) {
        this.file = file;
        this.folder = file.toAbsolutePath().normalize().getParent();
        this.yaml = YamlFile.read(file);
    }

    /**
     * One part of the data set that the file describes; images whose labels are broken are left out.
     *
     * @param split {@code "train"}, {@code "val"} or {@code "test"}
     * @throws DataSetException if the file is broken or the part is missing; names the field
     */
    static DataSet read(Path file, String split) {
        YoloData data = new YoloData(file);
        List<Category> categories = data.categories();
        YoloPaths paths = data.paths(split);
        List<Problem> problems = new ArrayList<>(paths.problems());
        Set<String> ids = new HashSet<>();
        List<Sample> samples = new ArrayList<>();
        int labelled = 0;
        int withoutLabels = 0;
        for (Path image : paths.images()) {
            YoloLabels labels = YoloLabels.read(labels(image), categories.size());
            problems.addAll(labels.problems());
            if (!labels.areSound()) {
                continue;
            }
            labelled += labels.boxes().isEmpty() ? 0 : 1;
            withoutLabels += labels.exists() ? 0 : 1;
            samples.add(new Sample(data.uniqueId(image, ids), image, 0, 0, true, labels.boxes()));
        }
        samples.sort(Comparator.comparing(Sample::id, ImageIds.ORDER));
        int missing = (int) problems.stream().filter(problem -> problem.kind() == Problem.Kind.MISSING_IMAGE).count();
        int all = paths.images().size() + missing;
        Census census = new Census(all, labelled, samples.size() - labelled - withoutLabels, withoutLabels,
                all - samples.size(), paths.otherKinds());
        return new DataSet(file, categories, samples, census, problems);
    }

    /**
     * The images of the first of these parts that the file has, whatever their labels.
     *
     * @throws DataSetException as {@link #read(Path, String)} does
     */
    static List<Path> images(Path file, String... splits) {
        YoloData data = new YoloData(file);
        for (String split : splits) {
            if (data.yaml.get(split) != null) {
                return data.paths(split).images();
            }
        }
        return data.paths(splits[0]).images();
    }

    /** Where the labels of an image are looked for. */
    static Path labelsOf(Path image) {
        return labels(image);
    }

    /** Names of the classes of the data set, by id. */
    static List<String> classNames(Path file) {
        return new YoloData(file).categories().stream().map(Category::name).toList();
    }

    private List<Category> categories() {
        TreeMap<Integer, String> names = new TreeMap<>();
        switch (yaml.get("names")) {
            case List<?> list -> list.forEach(name -> names.put(names.size(), className(name)));
            case Map<?, ?> map -> map.forEach((id, name) -> names.put(classId(id), className(name)));
            case null -> throw new DataSetException(file + ": has no 'names' of the classes");
            default -> throw new DataSetException(file + ": 'names' is neither a list nor a map");
        }
        if (names.isEmpty() || names.firstKey() != 0 || names.lastKey() != names.size() - 1) {
            throw new DataSetException(file + ": 'names' has the class ids " + names.keySet() + ", not all from 0 on");
        }
        Object count = yaml.get("nc");
        if (count != null && !count.equals(names.size())) {
            throw new DataSetException(
                    file + ": 'nc' is " + shown(count) + ", but 'names' has " + names.size() + " classes");
        }
        List<Category> categories = new ArrayList<>();
        names.forEach((id, name) -> categories.add(new Category(id, name)));
        return categories;
    }

    private int classId(Object id) {
        if (id instanceof Integer number && number >= 0) {
            return number;
        }
        if (id instanceof String text && text.matches("[0-9]{1,9}")) {
            return Integer.parseInt(text);
        }
        throw new DataSetException(file + ": 'names' has the key " + shown(id) + ", which is no class id");
    }

    private String className(Object name) {
        if (name == null || name instanceof Collection<?> || name instanceof Map<?, ?>) {
            throw new DataSetException(file + ": 'names' has " + shown(name) + ", which is no name");
        }
        return name.toString();
    }

    /** A value for a message. Lists and maps are not spelled out: aliases can make a short file hold an endless one. */
    private static String shown(Object value) {
        return switch (value) {
            case null -> "nothing";
            case Collection<?> _ -> "a list";
            case Map<?, ?> _ -> "a map";
            case String text -> "'" + (text.length() <= 60 ? text : text.substring(0, 60) + "…") + "'";
            default -> value.toString();
        };
    }

    private YoloPaths paths(String split) {
        List<Object> sources = switch (yaml.get(split)) {
            case null -> throw new DataSetException(file + ": has no '" + split + "'; it has "
                    + yaml.keySet().stream().map(YoloData::shown).collect(Collectors.joining(", ")));
            case List<?> list -> new ArrayList<>(list);
            case Object one -> List.of(one);
        };
        YoloPaths paths = new YoloPaths(file, yaml.get("path"));
        for (Object source : sources) {
            if (!(source instanceof String name) || name.isBlank()) {
                throw new DataSetException(
                        file + ": '" + split + "' is " + shown(source) + ", not a folder or text file");
            }
            paths.add(split, name);
        }
        if (paths.images().isEmpty()) {
            throw new DataSetException(file + ": '" + split + "' has no images (" + Images.FORMATS + ")"
                    + (paths.otherKinds() == 0 ? "" : " but " + paths.otherKinds() + " files of other kinds")
                    + (paths.problems().isEmpty() ? "" : ", such as " + paths.problems().getFirst().message()));
        }
        return paths;
    }

    /** The number that the file's name is, as COCO's are, else the name; made longer where another image has it. */
    private String uniqueId(Path image, Set<String> ids) {
        String stem = stem(image);
        String number = stem.matches("[0-9]{1,18}") ? String.valueOf(Long.parseLong(stem)) : stem;
        String path = (image.startsWith(folder) ? folder.relativize(image) : image).toString();
        for (String id : List.of(number, stem, path)) {
            if (ids.add(id)) {
                return id;
            }
        }
        String unique = path;
        for (int n = 2; !ids.add(unique); n++) {
            unique = path + "-" + n;
        }
        return unique;
    }

    /** The label file of an image: the last folder called images becomes labels. */
    private static Path labels(Path image) {
        String text = image.toString();
        int images = text.lastIndexOf("/images/");
        String moved = images < 0 ? text : text.substring(0, images) + "/labels/" + text.substring(images + 8);
        return Path.of(moved).resolveSibling(stem(image) + ".txt");
    }

    private static String stem(Path image) {
        String name = image.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return dot <= 0 ? name : name.substring(0, dot);
    }
}
