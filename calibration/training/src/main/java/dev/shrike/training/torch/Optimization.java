package dev.shrike.training.torch;

import dev.shrike.training.LearningSchedule;
import dev.shrike.training.TrainingException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.InputArchive;
import org.bytedeco.pytorch.Optimizer;
import org.bytedeco.pytorch.OptimizerOptions;
import org.bytedeco.pytorch.OptimizerParamGroup;
import org.bytedeco.pytorch.OutputArchive;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * PyTorch's optimiser over the parameters of a network, in three groups: weights of convolutions, which decay; other
 * parameters; biases, which warm up in their own way.
 */
final class Optimization {
    /** Norm of all gradients together that is not exceeded, as in YOLOv5. */
    private static final double LARGEST_NORM = 10;
    private static final double USUAL_BETA = 0.9;
    private static final double SECOND_BETA = 0.999;
    /** Steps in turn that may be left out. */
    private static final int MOST_REFUSED = 10;
    private static final int WEIGHTS = 0;
    private static final int BIASES = 2;

    private final LearningSchedule schedule;
    private final Optimizer optimizer;
    private final List<Tensor> learnt = new ArrayList<>();
    private int refused;

    /**
     * Groups the parameters.
     *
     * @param frozen names of parameters that do not learn
     */
    Optimization(TorchNetwork network, LearningSchedule schedule, Set<String> frozen) {
        this.schedule = schedule;
        Set<String> weights = new HashSet<>(network.weights());
        Set<String> biases = new HashSet<>(network.biases());
        List<List<Tensor>> groups = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        for (Map.Entry<String, Tensor> parameter : network.parameters().entrySet()) {
            if (frozen.contains(parameter.getKey())) {
                parameter.getValue().set_requires_grad(false);
                continue;
            }
            String name = parameter.getKey();
            groups.get(weights.contains(name) ? WEIGHTS : biases.contains(name) ? BIASES : 1)
                    .add(parameter.getValue());
            learnt.add(parameter.getValue());
        }
        try (PointerScope _ = new PointerScope()) {
            optimizer = make(groups.getFirst());
            optimizer.retainReference();
            for (List<Tensor> group : groups.subList(1, groups.size())) {
                optimizer.add_param_group(new OptimizerParamGroup(vector(group)));
            }
            for (int i = 0; i < groups.size(); i++) {
                OptimizerOptions options = optimizer.param_groups().get(i).options();
                double decay = i == WEIGHTS ? schedule.stepDecay() : 0;
                switch (schedule.optimizer()) {
                    case SGD -> new SGDOptions(options).weight_decay().put(decay);
                    case ADAMW -> new AdamWOptions(options).weight_decay().put(decay);
                }
            }
        }
    }

    private Optimizer make(List<Tensor> first) {
        return switch (schedule.optimizer()) {
            case SGD -> {
                SGDOptions options = new SGDOptions(schedule.learningRate());
                options.momentum().put(schedule.momentum());
                // Nesterov's way is nothing without momentum, and PyTorch refuses it then.
                options.nesterov().put(schedule.momentum() > 0);
                yield new SGD(vector(first), options);
            }
            case ADAMW -> {
                AdamWOptions options = new AdamWOptions(schedule.learningRate());
                setBetas(options.betas(), schedule.momentum());
                yield new AdamW(vector(first), options);
            }
        };
    }

    /**
     * Sets the decay of the mean of gradients; that of their squares stays as it is. The two are a {@code std::tuple},
     * whose order in memory is the library's own affair (that of GCC has the last first), so their usual values, .9 and
     * .999, tell which is which.
     */
    private static void setBetas(DoublePointer betas, double first) {
        int index = betas.get(0) < betas.get(1) ? 0 : 1;
        if (betas.get(index) != USUAL_BETA || betas.get(1 - index) != SECOND_BETA) {
            throw new IllegalStateException("the betas of AdamW are " + betas.get(0) + " and " + betas.get(1));
        }
        betas.put(index, first);
    }

    private static TensorVector vector(List<Tensor> tensors) {
        return new TensorVector(tensors.toArray(Tensor[]::new));
    }

    /** Gradients of all parameters become nothing. */
    void clear() {
        optimizer.zero_grad();
    }

    /**
     * Changes the parameters by their gradients.
     *
     * @param batch number of the last batch over all epochs
     */
    void step(long batch, int batchesPerEpoch) {
        try (PointerScope _ = new PointerScope()) {
            for (int i = 0; i <= BIASES; i++) {
                OptimizerOptions options = optimizer.param_groups().get(i).options();
                options.set_lr(schedule.rate(batch, batchesPerEpoch, i == BIASES));
                if (schedule.optimizer() == LearningSchedule.Optimizer.SGD) {
                    new SGDOptions(options).momentum().put(schedule.momentum(batch, batchesPerEpoch));
                }
            }
            double norm = torch.clip_grad_norm_(vector(learnt), LARGEST_NORM);
            if (Double.isFinite(norm)) {
                optimizer.step();
                refused = 0;
                return;
            }
            // One infinite gradient would make NaN of every parameter; a batch that has one is left out.
            refused++;
            if (refused >= MOST_REFUSED) {
                throw new TrainingException("gradients were infinite or NaN in " + MOST_REFUSED + " steps one after the"
                        + " other: a lower --lr or a longer --warmup may help");
            }
        }
    }

    void save(Path file) {
        try (PointerScope _ = new PointerScope()) {
            OutputArchive archive = new OutputArchive();
            optimizer.save(archive);
            archive.save_to(file.toString());
        }
    }

    void load(Path file) {
        try (PointerScope _ = new PointerScope()) {
            InputArchive archive = new InputArchive();
            archive.load_from(file.toString());
            optimizer.load(archive);
        }
    }
}
