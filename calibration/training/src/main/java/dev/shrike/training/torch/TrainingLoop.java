package dev.shrike.training.torch;

import dev.shrike.graph.Graph;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.training.LearningSchedule;
import dev.shrike.training.TrainingException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** The steps of a run: from batches to gradients to parameters, epoch by epoch. */
final class TrainingLoop {
    /** Smallest time between two messages about steps. */
    private static final long PACE_NANOS = 500_000_000L;

    private final TorchNetwork network;
    private final Loss loss;
    private final List<Regularizer> regularizers;
    private final BatchSource batches;
    private final LearningSchedule schedule;
    private final Optimization optimization;
    private final WeightAverage average;
    private final Device device;
    private final long seed;
    private final ProcessMemory memory = new ProcessMemory();
    private long lastTold;
    private int pending;

    /**
     * What a run consists of.
     *
     * @param regularizers called in this order in each step
     * @param optimization over the parameters of the network
     */
    TrainingLoop(TorchNetwork network, Loss loss, List<Regularizer> regularizers, BatchSource batches,
            LearningSchedule schedule, Optimization optimization, Device device, long seed) {
        this.network = network;
        this.loss = loss;
        this.regularizers = List.copyOf(regularizers);
        this.batches = batches;
        this.schedule = schedule;
        this.optimization = optimization;
        this.average = new WeightAverage(network);
        this.device = device;
        this.seed = seed;
    }

    WeightAverage average() {
        return average;
    }

    /**
     * Trains and reports.
     *
     * @param written makes of the network, which has the averages then, the graph that is measured and kept
     */
    void run(Path folder, boolean resume, Supplier<Graph> written, ParentLink parent) {
        Checkpoint checkpoint = new Checkpoint(folder);
        int done = resume && checkpoint.exists() ? checkpoint.read(network, average, optimization) : 0;
        parent.tell("start", "epoch", done, "epochs", schedule.epochs(), "batches", batches.batches());
        for (int epoch = done; epoch < schedule.epochs(); epoch++) {
            long start = System.nanoTime();
            Map<String, Double> means = epoch(epoch, parent);
            Path model = folder.resolve("epoch-" + (epoch + 1) + ".onnx");
            average.applied(() -> {
                OnnxModels.write(written.get(), model);
                return null;
            });
            checkpoint.write(epoch + 1, network, average, optimization);
            Checkpoint.deleteOthers(folder, "epoch-*.onnx", model);
            long batch = (long) (epoch + 1) * batches.batches() - 1;
            parent.tell("epoch", "epoch", epoch + 1, "losses", means, "rate",
                    schedule.rate(batch, batches.batches(), false), "seconds", (System.nanoTime() - start) / 1e9,
                    "peakMegabytes", memory.peakMegabytes(), "model", model.toString());
            if (!parent.mayGoOn()) {
                break;
            }
        }
        parent.tell("done");
    }

    /** Trains an epoch; the means of the loss ({@code total}) and its parts. */
    Map<String, Double> epoch(int epoch, ParentLink parent) {
        Map<String, Double> sums = new LinkedHashMap<>();
        for (int i = 0; i < batches.batches(); i++) {
            step(epoch, i, sums);
            if (parent != null) {
                tell(parent, epoch, i + 1, sums);
            }
        }
        if (pending > 0) {
            optimize((long) (epoch + 1) * batches.batches() - 1);
        }
        sums.replaceAll((_, sum) -> sum / batches.batches());
        return sums;
    }

    /** One batch: its loss, its gradients, and the optimiser's step if enough of them are added up. */
    private void step(int epoch, int index, Map<String, Double> sums) {
        long batch = (long) epoch * batches.batches() + index;
        try (PointerScope _ = new PointerScope()) {
            // Whatever is random follows from the step alone, so that a run can go on after any epoch.
            torch.manual_seed(seed * 0x9e3779b97f4a7c15L + batch);
            BatchSource.Batch next = batches.batch(epoch, index);
            network.train(true);
            Tensor total = loss(next, epoch, index, sums);
            total.backward();
            total.releaseReference();
        }
        pending++;
        if (pending >= schedule.accumulated(batch, batches.batches())) {
            optimize(batch);
        }
    }

    /** The loss of a batch, retained. Of the values of the network only those are left that the way back needs. */
    private Tensor loss(BatchSource.Batch next, int epoch, int index, Map<String, Double> sums) {
        try (PointerScope _ = new PointerScope()) {
            Loss.Value value = loss.of(network.forward(input(next.images())), next.targets());
            double total = value.total().item_float();
            if (!Double.isFinite(total)) {
                throw new TrainingException(String.format(java.util.Locale.ROOT, "the loss became %s in epoch %d, batch"
                        + " %d of %d: a lower --lr, a longer --warmup or the optimizer adamw may help", total,
                        epoch + 1, index + 1, batches.batches()));
            }
            sums.merge("total", total / next.images().size(0), Double::sum);
            value.parts().forEach((name, part) -> sums.merge(name, (double) part.item_float(), Double::sum));
            value.total().retainReference();
            memory.sample();
            return value.total();
        }
    }

    private void optimize(long batch) {
        double progress = (double) batch / ((double) schedule.epochs() * batches.batches());
        try (PointerScope _ = new PointerScope()) {
            regularizers.forEach(regularizer -> regularizer.addGradients(network, progress));
            optimization.step(batch, batches.batches());
            optimization.clear();
            regularizers.forEach(regularizer -> regularizer.afterStep(network, progress));
        }
        pending = 0;
        average.update();
    }

    private Tensor input(Tensor images) {
        Tensor there = TensorMath.on(device, images);
        Tensor floats = images.is_floating_point() ? there
                : there.to(torch.ScalarType.Float).div(Tensors.scalar(255));
        return floats.contiguous(torch.MemoryFormat.ChannelsLast);
    }

    private void tell(ParentLink parent, int epoch, int step, Map<String, Double> sums) {
        long now = System.nanoTime();
        if (now - lastTold < PACE_NANOS && step < batches.batches()) {
            return;
        }
        lastTold = now;
        parent.tell("step", "epoch", epoch, "step", step, "steps", batches.batches(), "loss",
                sums.get("total") / step);
    }
}
