package dev.shrike.app.quantize;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.app.Console;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.ranges.ActivationObserver;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.calibration.ranges.StatisticsCache;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.spi.Backend;
import dev.shrike.vision.InputSize;
import dev.shrike.vision.Labels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** One pass of a float network over images that keeps statistics, in a cache file if one is named. */
public final class Measurement {
    private final Console console;
    private final Steps steps;
    private final boolean quiet;

    Measurement(Console console, Steps steps, boolean quiet) {
        this.console = console;
        this.steps = steps;
        this.quiet = quiet;
    }

    /**
     * Which part of each image is read.
     *
     * @param crop side of the window, 0 for the whole image
     * @param seed decides where it lies
     */
    record Im2col(int crop, long seed) {
        static final Im2col WHOLE = new Im2col(0, 0);

        CalibrationImages of(List<Path> files, ValueInfo input) {
            return new CalibrationImages(files, input, crop, seed);
        }
    }

    /**
     * The statistics; those that the cache has of the same model and images are not measured again.
     *
     * @param cache file, or null
     */
    Map<String, ActivationStatistics> measure(Path model, Graph prepared, Set<String> values, List<Path> files,
            Im2col windows,
            Backend backend, int threads, Path cache) {
        try (CalibrationImages images = windows.of(files, prepared.inputs().getFirst());
                ActivationObserver collector =
                        new ActivationObserver(prepared, values, images.shape(), backend, threads)) {
            Pass pass = Pass.begin(model, files,
                    images.shape() + (windows.seed() == 0 ? "" : " seed " + windows.seed()), cache, values);
            collector.resume(pass.known());
            note(pass.taken(cache));
            SavePace pace = new SavePace();
            int before = pass.order().size() - pass.missing().size();
            for (int i = 0; i < pass.missing().size(); i++) {
                Path file = pass.missing().get(i);
                steps.show("measuring " + file.getFileName(), i, pass.missing().size());
                collector.add(images, files.indexOf(file));
                long now = System.nanoTime();
                if (cache != null && (pace.isDue(now) || i + 1 == pass.missing().size())) {
                    pass.statistics(before + i + 1, collector.statistics()).write(cache);
                    pace.saved(now, System.nanoTime());
                }
            }
            steps.clear();
            int count = pass.missing().size();
            note(count == 0 ? "" : "measured " + values.size() + " values on " + count
                    + (count == 1 ? " image" : " images"));
            return collector.statistics();
        }
    }

    /**
     * What of a pass is done and what is to be done.
     *
     * @param order name and size of all images in the order in which they are measured, with those that are gone
     * @param missing images that are to be measured
     * @param gone how many are in the statistics and no longer there
     * @param known what was measured before
     */
    private record Pass(String modelHash, String dataHash, String input, List<String> order, List<Path> missing,
            int gone, Map<String, ActivationStatistics> known) {
        static Pass begin(Path model, List<Path> files, String input, Path cache, Set<String> values) {
            if (cache == null) {
                return new Pass("", "", input, files.stream().map(Path::toString).toList(), files, 0, Map.of());
            }
            String modelHash = StatisticsCache.hash(model);
            String dataHash = StatisticsCache.hash(files);
            Optional<StatisticsCache> found = StatisticsCache.read(cache);
            List<String> keys = files.stream().map(StatisticsCache::key).toList();
            if (found.isEmpty()) {
                return new Pass(modelHash, dataHash, input, keys, files, 0, Map.of());
            }
            StatisticsCache before = found.get();
            boolean named = !before.files().isEmpty();
            int gone = named ? before.gone(files) : before.isAbout(modelHash, dataHash) ? 0 : -1;
            List<Path> missing = named ? before.missing(files)
                    : files.subList(Math.min(before.done(), files.size()), files.size());
            // What is complete serves whatever the size; a pass goes on only as it began.
            boolean fits = before.model().equals(modelHash) && gone >= 0
                    && (missing.isEmpty() || before.input().equals(input))
                    && (before.done() == 0 || before.values().keySet().containsAll(values));
            if (!fits) {
                throw new ModelException(cache + ": is about another model, other images or another size; name"
                        + " another file, or delete it");
            }
            List<String> order = new ArrayList<>(named ? before.files().subList(0, before.done())
                    : keys.subList(0, before.done()));
            missing.forEach(file -> order.add(StatisticsCache.key(file)));
            return new Pass(modelHash, dataHash, input, List.copyOf(order), missing, gone, before.values());
        }

        StatisticsCache statistics(int done, Map<String, ActivationStatistics> values) {
            return new StatisticsCache(modelHash, dataHash, input, done, order.size(), order, values);
        }

        String taken(Path cache) {
            int done = order.size() - missing.size();
            return done == 0 ? "" : "took " + done + " of " + order.size() + " images from " + cache
                    + (gone == 0 ? "" : ", " + gone + " of which " + (gone == 1 ? "is" : "are") + " no longer there");
        }
    }

    private void note(String text) {
        if (!quiet && !text.isEmpty()) {
            console.note(text);
        }
    }

    /** The full shape of the image that a network takes. */
    public static Map<String, Shape> inputShapes(Graph graph, int width, int height) {
        if (graph.inputs().size() != 1 || graph.inputs().getFirst().shape().rank() != 4) {
            throw new UnsupportedModelException("networks are calibrated on images, but this one has the inputs "
                    + graph.inputs());
        }
        ValueInfo input = graph.inputs().getFirst();
        InputSize size = InputSize.choose(input.shape(), width, height, Labels.stride(graph.metadata()));
        long channels = input.shape().dim(1) == Shape.OPEN ? 3 : input.shape().dim(1);
        long batch = input.shape().dim(0) == Shape.OPEN ? 1 : input.shape().dim(0);
        return Map.of(input.name(), Shape.of(batch, channels, size.height(), size.width()));
    }
}
