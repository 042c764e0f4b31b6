package dev.shrike.app.quantize;

import dev.shrike.SourceException;
import dev.shrike.app.Console;
import dev.shrike.app.OtherFile;
import dev.shrike.app.ProblemReport;
import dev.shrike.app.detect.Sources;
import dev.shrike.calibration.data.CalibrationSample;
import dev.shrike.calibration.data.DataSets;
import dev.shrike.calibration.data.Problem;
import dev.shrike.calibration.ranges.StatisticsCache;
import dev.shrike.vision.Images;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The images that a network is calibrated with.
 *
 * @param images those that were chosen, each of which can be read
 * @param problems what was left out
 * @param warnings what makes the images of little use
 */
public record CalibrationData(List<Path> images, List<Problem> problems, List<String> warnings) {
    private static final int LEAST_LEFT = 2;

    /**
     * What to choose from and how.
     *
     * @param sources folders, images, globs, {@code data.yaml}, COCO JSON and text files that list images
     * @param most most images to take, at even distances
     * @param strict whether an image that cannot be read ends the run
     * @param cache calibration cache whose images are taken again, as far as they are there
     */
    public record Wanted(List<String> sources, int most, boolean strict, Optional<Path> cache) {
        public Wanted {
            sources = List.copyOf(sources);
        }
    }

    /**
     * Chooses and reads them.
     *
     * @throws SourceException if there are none or none can be read
     * @throws dev.shrike.calibration.data.DataSetException under {@code strict} if one cannot be read; all are listed
     */
    public static CalibrationData choose(Console console, Wanted wanted, CalibrationSample.Progress progress) {
        List<Path> all = wanted.sources().stream().flatMap(source -> expand(source).stream()).distinct().toList();
        Optional<StatisticsCache> cache = wanted.cache().flatMap(StatisticsCache::read);
        List<Path> before = cache.map(known -> asBefore(known, all, wanted.most())).orElse(List.of());
        CalibrationSample sample = before.isEmpty() ? CalibrationSample.choose(all, wanted.most(), progress)
                : CalibrationSample.of(before, progress);
        if (wanted.strict()) {
            ProblemReport.requireNone(console, String.join(",", wanted.sources()), sample.problems());
        }
        if (sample.images().isEmpty()) {
            throw new SourceException("none of the " + sample.problems().size() + " images can be read, the first"
                    + " because of " + sample.problems().getFirst().message());
        }
        return new CalibrationData(sample.images(), sample.problems(), sample.warnings());
    }

    /** Warns of images that are of little use, before they are used. */
    public void warn(Console console, boolean quiet) {
        if (!quiet) {
            warnings.forEach(warning -> console.note("warning: " + warning));
        }
    }

    /** Tells what was left out, once everything else is told. */
    public void report(Console console, boolean quiet) {
        if (!quiet && !problems.isEmpty()) {
            console.note("left out:");
            ProblemReport.lines(problems).forEach(console::note);
        }
    }

    /**
     * Fails if the output is one of the images.
     *
     * @throws dev.shrike.app.UsageException if so
     */
    public void requireOther(String option, Path output) {
        images.forEach(image -> OtherFile.require(option, output, image));
    }

    /**
     * The images that a cache is about, without those that are gone, and with as many new ones as are wanted beyond;
     * none if so much else is wanted that the cache cannot serve.
     */
    private static List<Path> asBefore(StatisticsCache cache, List<Path> all, int most) {
        List<Path> kept = cache.remaining(all);
        int wanted = Math.min(most, all.size());
        if (wanted < kept.size() || LEAST_LEFT * kept.size() < cache.files().size()) {
            return List.of();
        }
        if (most < all.size() && wanted <= cache.files().size()) {
            return kept;
        }
        List<Path> more = new ArrayList<>(all);
        more.removeAll(kept);
        kept.addAll(more.subList(0, Math.min(more.size(), wanted - kept.size())));
        return kept;
    }

    /**
     * The images of a source, before any is read.
     *
     * @throws SourceException if there is none
     */
    public static List<Path> require(String source) {
        List<Path> files = expand(source);
        if (files.isEmpty()) {
            throw new SourceException(source + ": has no images");
        }
        return files;
    }

    private static List<Path> expand(String source) {
        Path path;
        try {
            path = Path.of(source);
        } catch (InvalidPathException e) {
            throw new SourceException("'" + source + "' is no path: " + e.getReason(), e);
        }
        String name = source.toLowerCase(Locale.ROOT);
        if (Files.isRegularFile(path)) {
            if (name.matches(".*\\.(ya?ml|json|json\\.gz)")) {
                return DataSets.images(path);
            }
            if (name.endsWith(".txt")) {
                return DataSets.listed(path);
            }
        }
        if (isDataSet(path)) {
            return DataSets.images(path);
        }
        return Sources.files(List.of(source));
    }

    /** Whether a folder has a description and no images of its own. */
    private static boolean isDataSet(Path folder) {
        if (!Files.isRegularFile(folder.resolve("data.yaml")) && !Files.isRegularFile(folder.resolve("data.yml"))) {
            return false;
        }
        try (var files = Files.list(folder)) {
            return files.noneMatch(Images::isNamedLikeOne);
        } catch (IOException e) {
            return false;
        }
    }
}
