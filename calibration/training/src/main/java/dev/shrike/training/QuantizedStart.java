package dev.shrike.training;

import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.quantize.BitWidths;
import dev.shrike.calibration.quantize.MixedPrecision;
import dev.shrike.calibration.quantize.PtqOptions;
import dev.shrike.calibration.quantize.QuantizationPlan;
import dev.shrike.calibration.quantize.Quantizer;
import dev.shrike.calibration.ranges.ActivationObserver;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.graph.Graph;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.training.qat.OneBitCodes;
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
        try (CalibrationImages inputs =
                new CalibrationImages(some, quantizer.prepared().inputs().getFirst(), 0)) {
            Map<String, ActivationStatistics> statistics = measured(quantizer, inputs, backend);
            boolean learned = how.method() == QuantizedTraining.Method.NIPQ;
            QuantizationPlan plan = how.isAuto() && !learned ? chosen(quantizer, statistics, inputs)
                    : quantizer.uniform(BitWidths.parse(how.startScheme()));
            Quantizer.Result result = quantizer.quantize(plan, statistics, inputs, PtqOptions.FULL,
                    (name, done, total) -> listener.working("fitting " + name, done, total));
            boolean one = how.hasOneBitWeights() || how.hasOneBitValues();
            OnnxModels.write(one ? OneBitCodes.of(result.graph(), quantizer.prepared(), how.hasOneBitWeights(),
                    how.hasOneBitValues()) : result.graph(), file);
        }
    }

    private Map<String, ActivationStatistics> measured(Quantizer quantizer, CalibrationImages images, Backend backend) {
        try (ActivationObserver collector = new ActivationObserver(quantizer.prepared(),
                quantizer.valuesToMeasure(), images.shape(), backend, threads)) {
            for (int i = 0; i < images.size(); i++) {
                listener.working("measuring values", i, images.size());
                collector.add(images, i);
            }
            return collector.statistics();
        }
    }

    private QuantizationPlan chosen(Quantizer quantizer, Map<String, ActivationStatistics> statistics,
            CalibrationImages images) {
        try (CalibrationImages part = images.part(0, 1, PLAN_IMAGES)) {
            MixedPrecision mixed = MixedPrecision.measure(quantizer, statistics, part, WIDTHS, PtqOptions.FULL,
                    (name, done, total) -> listener.working("trying widths of " + name, done, total));
            return mixed.plan(new MixedPrecision.Budget.AverageBits(how.averageBits()),
                    (int) Math.clamp(Math.rint(how.averageBits()), 2, 8));
        }
    }
}
