package dev.shrike.calibration.data;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;

/**
 * Finds the files of the images that a COCO JSON names: with the names as they stand, with backslashes as Windows
 * writes them, or in one folder whatever folders of another machine the names begin with.
 */
final class CocoImages {
    private static final int TRIED = 10;

    private final Path folder;

    /**
     * The images of a file.
     *
     * @param given folder that the names are relative to; null looks for it
     */
    CocoImages(Path file, Path given, Collection<CocoJson.Image> images) {
        this.folder = given == null ? findFolder(file, images) : given;
    }

    /** The first folder, of those where images usually lie, that has one of the images; else the file's own. */
    private static Path findFolder(Path file, Collection<CocoJson.Image> images) {
        Path own = file.toAbsolutePath().getParent();
        String stem = file.getFileName().toString().replaceFirst("\\.json(\\.gz)?$", "");
        String split = stem.replaceFirst("^(instances|person_keypoints|annotations)_", "");
        for (boolean bare : new boolean[] {false, true}) {
            for (String candidate : List.of(".", split, "images", "images/" + split, "../" + split, "../images",
                    "../images/" + split)) {
                Path folder = own.resolve(candidate).normalize();
                // One may be missing by mistake, and that is for the reader of images to say; ten are no mistake.
                boolean here = images.stream().limit(TRIED).map(image -> slashed(image.name()))
                        .map(name -> within(folder, bare ? last(name) : name))
                        .anyMatch(path -> path != null && Files.isRegularFile(path));
                if (here) {
                    return folder;
                }
            }
        }
        return own;
    }

    /** The path of an image, whether or not there is a file; null if the name leads out of the folder. */
    Path path(CocoJson.Image image) {
        Path usual = within(folder, image.name());
        for (String variant : List.of(image.name(), slashed(image.name()), last(slashed(image.name())))) {
            Path path = within(folder, variant);
            if (path != null && Files.isRegularFile(path)) {
                return path;
            }
        }
        return usual;
    }

    private static String slashed(String name) {
        return name.replace('\\', '/');
    }

    private static String last(String name) {
        return name.substring(name.lastIndexOf('/') + 1);
    }

    private static Path within(Path folder, String name) {
        try {
            Path path = folder.resolve(name).normalize();
            Path whole = folder.normalize();
            return !name.isBlank() && path.startsWith(whole) && !path.equals(whole) ? path : null;
        } catch (InvalidPathException e) {
            return null;
        }
    }
}
