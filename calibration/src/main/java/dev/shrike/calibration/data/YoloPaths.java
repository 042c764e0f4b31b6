package dev.shrike.calibration.data;

import dev.shrike.vision.Images;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Finds what the entries of a {@code data.yaml} name. {@code path} is relative to the file, as most write it; to the
 * folder above, which is YOLOv5's own where the file is in its {@code data/}; to the working folder; or to a folder
 * {@code datasets} beside one of these, which is Ultralytics' own. Where none has what is wanted, the file's own folder
 * is as good: the path is often that of the machine where the file was written.
 */
final class YoloPaths {
    private final Path file;
    private final List<Path> roots;
    private final List<Path> images = new ArrayList<>();
    private final List<Problem> problems = new ArrayList<>();
    private int otherKinds;

    YoloPaths(Path file, Object path) {
        this.file = file;
        Path folder = file.toAbsolutePath().normalize().getParent();
        Set<Path> candidates = new LinkedHashSet<>();
        if (path instanceof String text && !text.isBlank()) {
            List<Path> bases = new ArrayList<>(List.of(folder));
            if (folder.getParent() != null) {
                bases.add(folder.getParent());
            }
            bases.add(Path.of("").toAbsolutePath());
            for (String variant : List.of(text, slashed(text))) {
                bases.forEach(base -> candidates.add(resolve(base, variant)));
                for (Path base : bases) {
                    candidates.add(resolve(base.resolve("datasets"), variant));
                    candidates.add(resolve(base.resolve("../datasets"), variant));
                }
            }
        }
        candidates.add(folder);
        roots = List.copyOf(candidates);
    }

    /**
     * Adds the images that an entry stands for: a folder, an image, or a text file that lists images.
     *
     * @throws DataSetException if it does not exist or cannot be listed; names all places where it was looked for
     */
    void add(String split, String name) {
        Path source = find(split, name);
        try {
            if (Files.isDirectory(source)) {
                ImageFolder found = ImageFolder.list(source);
                images.addAll(found.images());
                problems.addAll(found.problems());
                otherKinds += found.otherKinds();
            } else if (Images.isNamedLikeOne(source)) {
                images.add(source);
            } else {
                addListed(source);
            }
        } catch (IOException e) {
            throw new DataSetException(file + ": '" + split + "': cannot list " + source + ": " + e, e);
        }
    }

    private Path find(String split, String name) {
        // Some publishers write ../valid/images for what lies beside the file.
        String inside = slashed(name).replaceFirst("^(\\.\\./)+", "");
        Set<Path> tried = new LinkedHashSet<>();
        for (Path root : roots) {
            for (String variant : List.of(name, slashed(name), inside)) {
                Path found = resolve(root, variant);
                if (Files.exists(found)) {
                    return found;
                }
                tried.add(found);
            }
        }
        throw new DataSetException(file + ": '" + split + "' names '" + name + "', which does not exist; looked for "
                + String.join(", ", tried.stream().map(Path::toString).toList()));
    }

    /** Lines are relative to the list, or to one of the roots, as YOLOv5's own lists are. */
    private void addListed(Path list) {
        int missing = 0;
        int before = images.size();
        String first = "";
        for (String line : TextFile.lines(list)) {
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            Path found = listed(list, line);
            if (Files.exists(found)) {
                images.add(found);
                continue;
            }
            first = missing++ == 0 ? line : first;
            problems.add(new Problem(Problem.Kind.MISSING_IMAGE, list + ": " + line + ": the image is missing"));
        }
        if (images.size() == before && missing > 0) {
            throw new DataSetException(list + ": none of the " + missing + " images that it lists exists, the first"
                    + " being '" + first + "'; lines are paths relative to the list, to "
                    + String.join(", to ", roots.stream().map(Path::toString).toList()) + ", or absolute");
        }
    }

    private Path listed(Path list, String line) {
        Path usual = resolve(list.getParent(), line);
        List<Path> bases = new ArrayList<>(List.of(list.getParent()));
        bases.addAll(roots);
        bases.add(Path.of("").toAbsolutePath());
        for (Path base : bases) {
            for (String variant : List.of(line, slashed(line))) {
                Path found = resolve(base, variant);
                if (Files.isRegularFile(found)) {
                    return found;
                }
            }
        }
        return usual;
    }

    private static String slashed(String name) {
        return name.replace('\\', '/');
    }

    private Path resolve(Path base, String name) {
        try {
            return base.resolve(name).normalize();
        } catch (InvalidPathException e) {
            throw new DataSetException(file + ": '" + name + "' is no path: " + e.getReason(), e);
        }
    }

    /** The images, each once. */
    List<Path> images() {
        return images.stream().distinct().toList();
    }

    List<Problem> problems() {
        return List.copyOf(problems);
    }

    int otherKinds() {
        return otherKinds;
    }
}
