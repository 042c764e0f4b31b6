package dev.shrike.app.detect;

import dev.shrike.ShrikeException;
import dev.shrike.app.OtherFile;
import dev.shrike.calibration.data.DataSets;
import dev.shrike.files.FileReplacement;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The folder that one run writes to, {@code runs/detect/exp}, {@code exp2}, …: no two runs get the same one. Files
 * appear in it complete or not at all, also when the process is told to stop.
 */
public final class RunFolder implements AutoCloseable {
    private static final long WRITE_SECONDS = 10;

    private final Path folder;
    private final Set<String> stems = new HashSet<>();
    private final ReentrantLock writing = new ReentrantLock();
    private final Thread hook;

    private RunFolder(Path folder) {
        this.folder = folder;
        this.hook = Thread.ofPlatform().unstarted(this::finishWriting);
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /**
     * A new folder {@code project/name}, {@code project/name2}, …
     *
     * @param reuse takes {@code project/name} even if it exists
     * @throws ShrikeException if the folder cannot be made; names the folder and the reason
     */
    public static RunFolder create(Path project, String name, boolean reuse) {
        try {
            Files.createDirectories(project);
            if (reuse) {
                return new RunFolder(Files.createDirectories(project.resolve(name)));
            }
            for (int n = 1;; n++) {
                Path candidate = project.resolve(n == 1 ? name : name + n);
                try {
                    return new RunFolder(Files.createDirectory(candidate));
                } catch (FileAlreadyExistsException e) {
                    // Taken, perhaps this very moment by another run: the next number.
                }
            }
        } catch (FileAlreadyExistsException e) {
            throw new ShrikeException(e.getFile() + ": is a file, not a folder; choose another --project or --name", e);
        } catch (IOException e) {
            throw new ShrikeException(
                    project.resolve(name) + ": cannot make the folder for the results (" + reason(e)
                            + "); choose another --project, or --nosave",
                    e);
        }
    }

    /**
     * As {@link #create(Path, String, boolean)}, for a run that reads these images.
     *
     * @throws ShrikeException also if results would be written over the images or their labels; names the folder
     */
    public static RunFolder create(Path project, String name, boolean reuse, List<Path> images) {
        Path folder = project.resolve(name);
        // A folder that is new has no images in it.
        if (reuse && Files.isDirectory(folder)) {
            Set<Path> parents = new HashSet<>();
            images.forEach(image -> parents.add(image.toAbsolutePath().normalize().getParent()));
            for (Path parent : parents) {
                Path labels = DataSets.labelsOf(parent.resolve("any.jpg")).getParent();
                for (Path written : List.of(folder, folder.resolve("labels"))) {
                    if (OtherFile.isSame(written, parent) || OtherFile.isSame(written, labels)) {
                        throw new ShrikeException(written + ": has the images that are read, or their labels, which"
                                + " results would overwrite; choose another --project or --name, or leave --exist-ok"
                                + " out");
                    }
                }
            }
        }
        return create(project, name, reuse);
    }

    /** The folder itself. */
    public Path path() {
        return folder;
    }

    /** A stem for the files of one image that no other image of this run has. */
    String uniqueStem(Path image) {
        String stem = Sources.Names.stem(image);
        String unique = stem;
        for (int n = 2; !stems.add(unique); n++) {
            unique = stem + "-" + n;
        }
        return unique;
    }

    /** Where the file {@code name} goes, below the folder {@code sub} unless that is empty. */
    public Path file(String sub, String name) {
        Path parent = sub.isEmpty() ? folder : folder.resolve(sub);
        try {
            Files.createDirectories(parent);
        } catch (IOException e) {
            throw cannotWrite(parent, e);
        }
        return parent.resolve(name);
    }

    /** Runs something that writes files; the process does not end in its midst. */
    public void write(Runnable writer) {
        writing.lock();
        try {
            writer.run();
        } finally {
            writing.unlock();
        }
    }

    /** Writes a text file, to a temporary file first, then renamed. */
    public void writeText(Path file, String text) {
        try {
            FileReplacement.replace(file, stream -> stream.write(text.getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw cannotWrite(file, e);
        }
    }

    /** Removes the folder again if nothing was written to it. */
    @Override
    public void close() {
        removeIfEmpty();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending already.
        }
    }

    private void removeIfEmpty() {
        try {
            Files.deleteIfExists(folder);
        } catch (DirectoryNotEmptyException e) {
            // The usual case: there are results.
        } catch (IOException e) {
            // An empty folder stays; nothing is lost.
        }
    }

    /** Lets a write under way end and keeps the next one from starting. */
    private void finishWriting() {
        try {
            if (writing.tryLock(WRITE_SECONDS, TimeUnit.SECONDS)) {
                removeIfEmpty();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static ShrikeException cannotWrite(Path file, IOException e) {
        return new ShrikeException(file + ": cannot be written: " + reason(e), e);
    }

    private static String reason(IOException e) {
        return switch (e) {
            case java.nio.file.AccessDeniedException _ -> "permission denied";
            case FileSystemException f when f.getReason() != null -> f.getReason();
            default -> e.getMessage() == null ? e.toString() : e.getMessage();
        };
    }
}
