package dev.shrike.calibration.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Opens data sets whatever their form. */
public final class DataSets {
    private DataSets() {}

    /** The data set at the path, with its part for validation; see {@link #open(Path, Path, String)}. */
    public static DataSet open(Path path) {
        return open(path, null, "val");
    }

    /**
     * The data set at the path, which is one of
     * <ul>
     * <li>COCO instances JSON, plain or gzipped
     * <li>a folder with one such file in it or in its folder {@code annotations}, or a folder of images {@code NAME}
     * beside {@code instances_NAME.json} or {@code annotations/instances_NAME.json}
     * <li>YOLO's {@code data.yaml}, or a folder with one
     * </ul>
     *
     * @param images folder of the images that a COCO JSON names; null looks for it
     * @param split part of a YOLO data set: {@code "train"}, {@code "val"} or {@code "test"}
     * @throws DataSetException if there is none or it is broken as a whole; names the file and the field or line. What
     *     is wrong with single labels is in {@link DataSet#problems}. Images are not looked at: see
     *     {@link DataSet#requireImages}
     */
    public static DataSet open(Path path, Path images, String split) {
        if (images != null && !Files.isDirectory(images)) {
            throw new DataSetException(images + ": the folder of the images does not exist");
        }
        Path file = Files.isDirectory(path) ? description(path) : path;
        String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
        if (!Files.exists(file)) {
            throw new DataSetException(path + ": no such file or folder");
        }
        if (name.endsWith(".yaml") || name.endsWith(".yml")) {
            if (images != null) {
                throw new DataSetException(file + ": names its images itself; --images is for COCO JSON");
            }
            return YoloData.read(file, split);
        }
        if (name.endsWith(".json") || name.endsWith(".json.gz")) {
            return CocoJson.read(file, images == null && Files.isDirectory(path) ? beside(path, file) : images);
        }
        throw new DataSetException(path + ": is neither COCO JSON (.json) nor a YOLO data set (.yaml)");
    }

    /**
     * The images of a data set, whatever is in them, for those who only want to see some: of a YOLO data set the part
     * to train on, else that to validate.
     *
     * @throws DataSetException as {@link #open(Path, Path, String)} does
     */
    public static List<Path> images(Path path) {
        Path file = Files.isDirectory(path) ? description(path) : path;
        if (file.toString().toLowerCase(Locale.ROOT).matches(".*\\.ya?ml")) {
            return YoloData.images(file, "train", "val");
        }
        return open(path).requireImages().samples().stream().map(Sample::file).toList();
    }

    /**
     * The images that a text file lists, a path a line, relative to the file.
     *
     * @throws DataSetException if none of them exists or the file cannot be read
     */
    public static List<Path> listed(Path list) {
        YoloPaths paths = new YoloPaths(list, null);
        paths.add("list", list.toAbsolutePath().toString());
        return paths.images();
    }

    /** Where the labels of an image of a YOLO data set are: {@code images/a/b.jpg} has {@code labels/a/b.txt}. */
    public static Path labelsOf(Path image) {
        return YoloData.labelsOf(image.toAbsolutePath().normalize());
    }

    /**
     * Names of the classes that a data.yaml has, by id; images are not looked for.
     *
     * @throws DataSetException if the file is missing, broken or has no names
     */
    public static List<String> classNames(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new DataSetException(file + ": no such file; --data takes the data.yaml of a YOLO data set here");
        }
        return YoloData.classNames(file);
    }

    /** The given folder if it is one of images beside its JSON, so that no search is needed. */
    private static Path beside(Path folder, Path file) {
        Path own = file.toAbsolutePath().normalize().getParent();
        return own.startsWith(folder.toAbsolutePath().normalize()) ? null : folder;
    }

    private static Path description(Path folder) {
        Path absolute = folder.toAbsolutePath().normalize();
        List<Path> found = new ArrayList<>();
        found.addAll(matching(absolute, "data.yaml", "data.yml"));
        if (found.isEmpty()) {
            found.addAll(matching(absolute, ".json", ".json.gz"));
            found.addAll(matching(absolute.resolve("annotations"), ".json", ".json.gz"));
        }
        if (found.isEmpty() && absolute.getParent() != null) {
            String sibling = "instances_" + absolute.getFileName() + ".json";
            found.addAll(matching(absolute.getParent(), sibling));
            found.addAll(matching(absolute.resolveSibling("annotations"), sibling));
        }
        if (found.size() == 1) {
            return found.getFirst();
        }
        if (found.isEmpty()) {
            throw new DataSetException(folder + ": has no data.yaml and no COCO JSON, nor is there an instances_"
                    + absolute.getFileName() + ".json beside it; give the file itself");
        }
        throw new DataSetException(folder + ": has several descriptions, " + found.getFirst().getFileName() + " and "
                + found.get(1).getFileName() + " among them; give the file itself, and --images");
    }

    /** Files of the folder whose names end so, sorted; none if there is no such folder. */
    private static List<Path> matching(Path folder, String... endings) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files
                    .filter(file -> Stream.of(endings).anyMatch(file.getFileName().toString()::endsWith))
                    .filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new DataSetException(folder + ": cannot be listed: " + e, e);
        }
    }
}
