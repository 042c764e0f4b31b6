package dev.shrike.app.detect;

import dev.shrike.Detections;
import dev.shrike.Frame;
import dev.shrike.vision.Images;
import java.nio.file.Path;
import java.util.Set;

/** What a run writes to its folder, image by image. */
final class SavedResults {
    /** Formats that images are written in; others become JPEG. */
    private static final Set<String> WRITABLE = Set.of("jpg", "jpeg", "png");

    private final DetectRequest.Saving saving;
    private final RunFolder folder;
    private final Crops crops;

    SavedResults(DetectRequest.Saving saving, RunFolder folder) {
        this.saving = saving;
        this.folder = folder;
        this.crops = new Crops(folder);
    }

    /** The folder of the run. */
    Path path() {
        return folder.path();
    }

    /** Writes what is wanted of one image. */
    void add(Path given, Frame frame, Detections found) {
        Path image = given == StandardInput.PATH ? Path.of("stdin.jpg") : given;
        String stem = folder.uniqueStem(image);
        folder.write(() -> {
            if (saving.images()) {
                String extension = Sources.Names.extension(image);
                Path target = folder.file("", stem + "." + (WRITABLE.contains(extension) ? extension : "jpg"));
                Images.write(Images.annotate(frame, found, saving.style()), target);
            }
            if (saving.labels()) {
                folder.writeText(folder.file("labels", stem + ".txt"), LabelFile.text(found, saving.scores()));
            }
            if (saving.crops()) {
                crops.write(frame, found, stem);
            }
            if (saving.csv()) {
                new CsvFile(folder.file("", "predictions.csv")).append(image, found);
            }
        });
    }
}
