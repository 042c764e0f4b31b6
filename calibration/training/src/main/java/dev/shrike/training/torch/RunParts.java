package dev.shrike.training.torch;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.training.DetectHead;
import dev.shrike.training.QuantizedForm;
import dev.shrike.training.QuantizedTraining;
import dev.shrike.training.Teaching;
import dev.shrike.training.TrainableModel;
import dev.shrike.training.TrainingJob;
import dev.shrike.training.qat.QuantizedTwin;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;

/** What a run consists of beside its labels: the network that learns, its rounding, its teacher and its penalties. */
final class RunParts implements AutoCloseable {
    /** The part of a run, before codes stay, in which widths are learned. */
    private static final double NOISY = 2.0 / 3;

    private final TrainingJob job;
    private final TrainableModel model;
    private final Device device;
    private final GraphNetwork network;
    private final FakeQuantization rounding;
    private final Teacher teacher;

    /** The parts of a job. */
    RunParts(TrainingJob job, TrainableModel model, Device device) {
        this.job = job;
        this.model = model;
        this.device = device;
        QuantizedTraining quantized = job.methods().rounding();
        if (quantized == null) {
            this.network = new GraphNetwork(model.trunk(), device);
            this.rounding = null;
        } else {
            QuantizedTwin twin = twin(quantized);
            this.network = new GraphNetwork(twin.trunk(model.head().outputs()), device);
            this.rounding = new FakeQuantization(network, twin, switch (quantized.method()) {
                case LSQ -> QuantizationMethod.LSQ;
                case DRGS -> new DirectedRounding();
                case NIPQ -> new NoiseProxy(network, twin, QuantizedForm.budget(quantized, twin),
                        NOISY * (corrects(quantized) ? correctedFrom() : 1));
            });
        }
        network.freezeStatistics(job.methods().frozenStatistics());
        this.teacher = job.methods().teacher() == null ? null : teacher(job.methods().teacher());
    }

    private boolean corrects(QuantizedTraining quantized) {
        return quantized.correction() && job.schedule().epochs() > 1;
    }

    /** Share of the run after which codes of weights stay. */
    private double correctedFrom() {
        return (job.schedule().epochs() - 1.0) / job.schedule().epochs();
    }

    private QuantizedTwin twin(QuantizedTraining quantized) {
        return QuantizedForm.twin(Path.of(quantized.network()), OnnxModels.read(Path.of(job.model())),
                model.head().outputs());
    }

    private Teacher teacher(Teaching how) {
        TrainableModel teaching = TrainableModel.of(OnnxModels.read(Path.of(how.network())), job.width(), job.height());
        DetectHead own = model.head();
        DetectHead other = teaching.head();
        if (!own.isLike(other)) {
            throw new UnsupportedModelException(how.network() + ": the teacher's head has another form ("
                    + other.family()
                    + ", " + other.classes() + " classes, strides " + other.strides() + ") than that of the network ("
                    + own.family() + ", " + own.classes() + " classes, strides " + own.strides() + ")");
        }
        return new Teacher(new GraphNetwork(teaching.trunk(), device), other,
                how.features() > 0 ? features(teaching.trunk(), other) : List.of());
    }

    /** The values that the head's convolutions read. */
    static List<String> features(Graph trunk, DetectHead head) {
        List<String> features = new ArrayList<>();
        for (Node node : trunk.nodes()) {
            if (head.outputs().contains(node.output()) && !features.contains(node.input(0))) {
                features.add(node.input(0));
            }
        }
        return features;
    }

    GraphNetwork network() {
        return network;
    }

    /** Whether batch normalisation is to be given statistics before the first step. */
    boolean needsStatistics() {
        return rounding != null;
    }

    /** Gives it the statistics of these inputs. */
    void initialize(List<Tensor> inputs) {
        rounding.initialize(inputs);
    }

    /** Whether it is to be given them again before the network is written. */
    boolean movesStatistics() {
        return rounding != null && !job.methods().frozenStatistics();
    }

    /** Gives it those that it has on these inputs now, before the network is written. */
    void measureStatistics(List<Tensor> inputs) {
        rounding.measureStatistics(inputs);
    }

    /** The batches, shown to the teacher first where there is one. */
    BatchSource batches(BatchSource given) {
        return teacher == null ? given : new TaughtBatches(given, teacher);
    }

    /** The loss, from that of the labels. */
    Loss loss(Loss labels) {
        if (teacher == null) {
            return labels;
        }
        Teaching how = job.methods().teacher();
        List<String> own = teacher.features().isEmpty() ? List.of() : features(network.graph(), model.head());
        return new DistillationLoss(teacher, network, own, how.labels() ? Optional.of(labels) : Optional.empty(),
                new DistillationLoss.Weights(how.head(), how.features()));
    }

    /** What changes gradients and parameters in each step. */
    List<Regularizer> regularizers(Supplier<WeightAverage> average) {
        List<Regularizer> all = new ArrayList<>();
        if (job.methods().sparse() != null) {
            all.add(new SparsityPenalty(job.methods().sparse(), network.graph()));
        }
        if (rounding != null) {
            all.add(rounding);
            if (corrects(job.methods().rounding())) {
                all.add(new CodeCorrection(rounding, correctedFrom(), () -> average.get().averages()));
            }
        }
        return all;
    }

    /** The network as it is now, to be written and measured. */
    Graph written() {
        return rounding == null ? model.with(network.toGraph()) : rounding.assembled();
    }

    @Override
    public void close() {
        if (teacher != null) {
            teacher.close();
        }
        network.close();
    }
}
