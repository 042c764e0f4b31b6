package dev.shrike.training;

import dev.shrike.calibration.activations.CalibrationPictures;
import dev.shrike.calibration.quantize.Effort;
import dev.shrike.calibration.quantize.MixedPrecision;
import dev.shrike.calibration.quantize.QuantizationPlan;
import dev.shrike.calibration.quantize.Quantizer;
import dev.shrike.calibration.quantize.Widths;
import dev.shrike.calibration.ranges.StatisticsCollector;
import dev.shrike.calibration.ranges.ValueStatistics;
import dev.shrike.graph.Graph;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Quantises a network after training, as what quantisation-aware training starts from. */
final class QuantizedStart {
    private static final Set<Integer> WIDTHS = Set.of(2, 3, 4, 5, 6, 8);
    private static final int PLAN_IMAGES = 48;

    private final Graph model;
    private final QuantizedTraining how;
    private final int threads;
    private final TrainingListener listener;

    QuantizedStart(Graph model, QuantizedTraining how, int threads, TrainingListener listener) {
        this.model = model;
        this.how = how;
        this.threads = threads;
        this.listener = listener;
    }

    /** Writes the quantised network; images are taken at even distances. */
    void write(List<Path> images, Path file) {
        List<Path> some = new ArrayList<>();
        int count = Math.min(how.calibration(), images.size());
        for (int i = 0; i < count; i++) {
            some.add(images.get((int) ((long) i * images.size() / count)));
        }
        Backend backend = Backends.usable(Backends.installed(), "").getFirst();
        Quantizer quantizer = new Quantizer(model, Map.of(), backend, threads);
        try (CalibrationPictures pictures =
                new CalibrationPictures(some, quantizer.prepared().inputs().getFirst(), 0)) {
            Map<String, ValueStatistics> statistics = measured(quantizer, pictures, backend);
            QuantizationPlan plan = how.scheme().equals("auto") ? chosen(quantizer, statistics, pictures)
                    : quantizer.uniform(Widths.parse(how.scheme()));
            Quantizer.Result result = quantizer.quantize(plan, statistics, pictures, Effort.FULL,
                    (name, done, total) -> listener.working("fitting " + name, done, total));
            OnnxModels.write(result.graph(), file);
        }
    }

    private Map<String, ValueStatistics> measured(Quantizer quantizer, CalibrationPictures pictures, Backend backend) {
        try (StatisticsCollector collector = new StatisticsCollector(quantizer.prepared(),
                quantizer.valuesToMeasure(), pictures.shape(), backend, threads)) {
            for (int i = 0; i < pictures.size(); i++) {
                listener.working("measuring values", i, pictures.size());
                collector.add(pictures, i);
            }
            return collector.statistics();
        }
    }

    private QuantizationPlan chosen(Quantizer quantizer, Map<String, ValueStatistics> statistics,
            CalibrationPictures pictures) {
        try (CalibrationPictures part = pictures.part(0, 1, PLAN_IMAGES)) {
            MixedPrecision mixed = new MixedPrecision(quantizer, statistics, part, WIDTHS, Effort.FULL,
                    (name, done, total) -> listener.working("trying widths of " + name, done, total));
            return mixed.plan(new MixedPrecision.Budget.AverageBits(how.averageBits()),
                    (int) Math.clamp(Math.rint(how.averageBits()), 2, 8));
        }
    }
}
