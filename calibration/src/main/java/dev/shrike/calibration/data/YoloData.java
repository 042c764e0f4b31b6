package dev.shrike.calibration.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Reads YOLO's {@code data.yaml}: {@code path} (root, relative to the file), {@code train}, {@code val}, {@code test}
 * (each a folder of pictures, a text file that lists them, or several of these), {@code names} (a list, or a map from
 * class id) and, if stated, {@code nc}. The labels of {@code images/a/b.jpg} are in {@code labels/a/b.txt}; without
 * that file the picture has none.
 */
final class YoloData {
    private static final Pattern PICTURE = Pattern.compile("(?i).*\\.(jpe?g|jpe|jfif|png|bmp|webp)");
    private static final int DEEPEST = 16;

    private final Path file;
    private final Path folder;
    private final Map<?, ?> yaml;

    private YoloData(Path file) {
        this.file = file;
        this.folder = file.toAbsolutePath().normalize().getParent();
        this.yaml = YamlFile.read(file);
    }

    /**
     * One part of the data set that the file describes.
     *
     * @param split {@code "train"}, {@code "val"} or {@code "test"}
     * @throws DataSetException if the file is broken, the part is missing or has a broken label; names field or line
     */
    static DataSet read(Path file, String split) {
        YoloData data = new YoloData(file);
        List<Category> categories = data.categories();
        List<Path> pictures = data.pictures(split);
        Set<String> ids = new HashSet<>();
        List<Sample> samples = new ArrayList<>(pictures.size());
        for (Path picture : pictures) {
            List<TrueBox> boxes = YoloLabels.read(labels(picture), categories.size());
            samples.add(new Sample(data.uniqueId(picture, ids), picture, 0, 0, true, boxes));
        }
        samples.sort(Comparator.comparing(Sample::id, PictureIds.ORDER));
        return new DataSet(file, categories, samples);
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

    private List<Path> pictures(String split) {
        List<Object> sources = switch (yaml.get(split)) {
            case null -> throw new DataSetException(file + ": has no '" + split + "'; it has "
                    + yaml.keySet().stream().map(YoloData::shown).collect(Collectors.joining(", ")));
            case List<?> list -> new ArrayList<>(list);
            case Object one -> List.of(one);
        };
        List<Path> pictures = new ArrayList<>();
        for (Object source : sources) {
            if (!(source instanceof String name) || name.isBlank()) {
                throw new DataSetException(
                        file + ": '" + split + "' is " + shown(source) + ", not a folder or text file");
            }
            try {
                collect(find(split, name), pictures);
            } catch (IOException e) {
                throw new DataSetException(file + ": '" + split + "': cannot list " + name + ": " + e, e);
            }
        }
        if (pictures.isEmpty()) {
            throw new DataSetException(file + ": '" + split + "' has no pictures (JPEG, PNG, BMP, WebP)");
        }
        return pictures.stream().distinct().toList();
    }

    /** The folder or text file that a split names. */
    private Path find(String split, String name) {
        Path root = folder;
        if (yaml.get("path") instanceof String path) {
            root = resolve(folder, path);
            // The path is often that of the machine where the file was written; then the file's own folder is as good.
            root = Files.isDirectory(root) ? root : folder;
        }
        // Some publishers write ../valid/images for what lies beside the file.
        for (String variant : List.of(name, name.replaceFirst("^(\\.\\./)+", ""))) {
            Path found = resolve(root, variant);
            if (Files.exists(found)) {
                return found;
            }
        }
        throw new DataSetException(file + ": '" + split + "' names " + resolve(root, name) + ", which does not exist");
    }

    private Path resolve(Path base, String name) {
        try {
            return base.resolve(name).normalize();
        } catch (InvalidPathException e) {
            throw new DataSetException(file + ": '" + name + "' is no path: " + e.getReason(), e);
        }
    }

    private void collect(Path source, List<Path> pictures) throws IOException {
        if (Files.isDirectory(source)) {
            try (Stream<Path> files = Files.walk(source, DEEPEST)) {
                files.filter(path -> PICTURE.matcher(path.getFileName().toString()).matches())
                        .filter(Files::isRegularFile).sorted().forEach(pictures::add);
            }
            return;
        }
        if (PICTURE.matcher(source.getFileName().toString()).matches()) {
            pictures.add(source);
            return;
        }
        for (String line : Files.readAllLines(source)) {
            if (!line.isBlank()) {
                pictures.add(resolve(source.getParent(), line.strip()));
            }
        }
    }

    /** The number that the file's name is, as COCO's are, else the name; made longer where another picture has it. */
    private String uniqueId(Path picture, Set<String> ids) {
        String stem = stem(picture);
        String number = stem.matches("[0-9]{1,18}") ? String.valueOf(Long.parseLong(stem)) : stem;
        String path = (picture.startsWith(folder) ? folder.relativize(picture) : picture).toString();
        for (String id : List.of(number, stem, path)) {
            if (ids.add(id)) {
                return id;
            }
        }
        throw new DataSetException(file + ": names the picture " + picture + " twice");
    }

    /** The label file of a picture: the last folder called images becomes labels. */
    private static Path labels(Path picture) {
        String text = picture.toString();
        int images = text.lastIndexOf("/images/");
        String moved = images < 0 ? text : text.substring(0, images) + "/labels/" + text.substring(images + 8);
        return Path.of(moved).resolveSibling(stem(picture) + ".txt");
    }

    private static String stem(Path picture) {
        String name = picture.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return dot <= 0 ? name : name.substring(0, dot);
    }
}
