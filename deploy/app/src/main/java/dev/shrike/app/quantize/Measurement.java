package dev.shrike.app.quantize;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.app.Console;
import dev.shrike.calibration.activations.CalibrationPictures;
import dev.shrike.calibration.ranges.StatisticsCache;
import dev.shrike.calibration.ranges.StatisticsCollector;
import dev.shrike.calibration.ranges.ValueStatistics;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.spi.Backend;
import dev.shrike.vision.InputSize;
import dev.shrike.vision.Labels;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** One pass of a float network over pictures that keeps statistics, in a cache file if one is named. */
final class Measurement {
    private static final int PICTURES_A_WRITE = 32;

    private final Console console;
    private final Steps steps;
    private final boolean quiet;

    Measurement(Console console, Steps steps, boolean quiet) {
        this.console = console;
        this.steps = steps;
        this.quiet = quiet;
    }

    /**
     * Which part of each picture is read.
     *
     * @param crop side of the window, 0 for the whole picture
     * @param seed decides where it lies
     */
    record Windows(int crop, long seed) {
        static final Windows WHOLE = new Windows(0, 0);

        CalibrationPictures of(List<Path> files, ValueInfo input) {
            return new CalibrationPictures(files, input, crop, seed);
        }
    }

    /**
     * The statistics; those that the cache has of the same model and pictures are not measured again.
     *
     * @param cache file, or null
     */
    Map<String, ValueStatistics> measure(Path model, Graph prepared, Set<String> values, List<Path> files,
            Windows windows,
            Backend backend, int threads, Path cache) {
        try (CalibrationPictures pictures = windows.of(files, prepared.inputs().getFirst());
                StatisticsCollector collector =
                        new StatisticsCollector(prepared, values, pictures.shape(), backend, threads)) {
            String input = pictures.shape() + (windows.seed() == 0 ? "" : " seed " + windows.seed());
            String modelHash = cache == null ? "" : StatisticsCache.hash(model);
            String dataHash = cache == null ? "" : StatisticsCache.hash(files);
            Optional<StatisticsCache> found = cache == null ? Optional.empty() : StatisticsCache.read(cache);
            int done = 0;
            if (found.isPresent()) {
                StatisticsCache known = found.get();
                // What is complete serves whatever the size; a pass goes on only as it began.
                boolean fits = known.isAbout(modelHash, dataHash)
                        && (known.done() == files.size() || known.input().equals(input))
                        && (known.done() == 0 || known.values().keySet().containsAll(values));
                if (!fits) {
                    throw new ModelException(cache + ": is about another model, other pictures or another size; name"
                            + " another file, or delete it");
                }
                collector.resume(known.values());
                done = known.done();
                note(done == 0 ? "" : "took " + done + " of " + files.size() + " pictures from " + cache);
            }
            int before = done;
            while (done < files.size()) {
                steps.show("measuring " + files.get(done).getFileName(), done - before, files.size() - before);
                collector.add(pictures, done++);
                if (cache != null && (done % PICTURES_A_WRITE == 0 || done == files.size())) {
                    new StatisticsCache(modelHash, dataHash, input, done, files.size(), collector.statistics())
                            .write(cache);
                }
            }
            steps.clear();
            note(before == files.size() ? "" : "measured " + values.size() + " values on " + (files.size() - before)
                    + (files.size() - before == 1 ? " picture" : " pictures"));
            return collector.statistics();
        }
    }

    private void note(String text) {
        if (!quiet && !text.isEmpty()) {
            console.note(text);
        }
    }

    /** The full shape of the picture that a network takes. */
    static Map<String, Shape> inputShapes(Graph graph, int width, int height) {
        if (graph.inputs().size() != 1 || graph.inputs().getFirst().shape().rank() != 4) {
            throw new UnsupportedModelException("networks are calibrated on pictures, but this one has the inputs "
                    + graph.inputs());
        }
        ValueInfo input = graph.inputs().getFirst();
        InputSize size = InputSize.choose(input.shape(), width, height, Labels.stride(graph.metadata()));
        long channels = input.shape().dim(1) == Shape.OPEN ? 3 : input.shape().dim(1);
        long batch = input.shape().dim(0) == Shape.OPEN ? 1 : input.shape().dim(0);
        return Map.of(input.name(), Shape.of(batch, channels, size.height(), size.width()));
    }
}
