package dev.shrike.training.torch;

import dev.shrike.graph.Graph;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/**
 * A network whose parameters are tensors of PyTorch. Confined to one thread. Its life:
 * <ol>
 * <li>made from a graph; parameters have the names of the graph's constants
 * <li>hooks are set, which stay until they are replaced
 * <li>{@link #forward} and the gradients of what it gives, step by step, in {@link #train} or evaluation mode
 * <li>{@link #toGraph} at any time; {@link #close} once
 * </ol>
 */
public interface TorchNetwork extends AutoCloseable {
    /**
     * The parameters that are learnt, by name, in the order of the graph: weights and biases of convolutions and matrix
     * products, gamma and beta of batch normalisation, and what {@link #addParameter} brought. A constant that several
     * nodes read is one parameter. The tensors stay the network's.
     */
    Map<String, Tensor> parameters();

    /** What is learnt without a gradient, by name: running means and variances of batch normalisation. */
    Map<String, Tensor> buffers();

    /** Names of those parameters that are weights of convolutions and matrix products, which alone decay. */
    List<String> weights();

    /** Names of those parameters that are biases of convolutions and matrix products, or betas. */
    List<String> biases();

    /** Names of those parameters that are gammas of batch normalisation. */
    List<String> gammas();

    /**
     * Adds a parameter that the graph does not have, such as the step of a quantiser. It is learnt, saved with a
     * checkpoint and averaged with the others, and left out of {@link #toGraph}.
     *
     * @throws IllegalArgumentException if there is a parameter of that name
     */
    Tensor addParameter(String name, Tensor initial);

    /**
     * The values of the outputs of the network, in the order of the graph.
     *
     * @param images {@code [batch, 3, height, width]} floats, 0 to 1
     */
    List<Tensor> forward(Tensor images);

    /** The value of a name that the last {@link #forward} computed, if it was asked for with {@link #keep}. */
    Tensor value(String name);

    /** Keeps the values of these names from now on, as feature distillation reads them; those that were kept before. */
    Set<String> keep(Collection<String> names);

    /**
     * Sets the mode: in training batch normalisation uses the statistics of the batch and moves its running ones
     * (momentum 0.03, as YOLOv5 has it); in evaluation it uses the running ones.
     */
    void train(boolean on);

    /**
     * Whether batch normalisation uses its running statistics in training too, which then do not move. Off at first.
     */
    void freezeStatistics(boolean on);

    /** Whether {@link #train} was last given true. */
    boolean isTraining();

    /**
     * Has a parameter replaced by what the hook makes of it, wherever the network reads it: fake quantisation, masks.
     * Null takes the hook away. Hooks of one name that are to follow each other are composed by who sets them.
     */
    void hookParameter(String name, UnaryOperator<Tensor> hook);

    /** Has a value, that of an input or of a node's output, replaced by what the hook makes of it. */
    void hookValue(String name, UnaryOperator<Tensor> hook);

    /**
     * Whether batch normalisation is folded into the convolution before it: its statistics are then the running ones,
     * and the hook of a weight sees the folded one, as the engine rounds it. Off at first.
     */
    void foldBatchNormalization(boolean on);

    /** The graph with the parameters and statistics as they are now. Nothing else of it changes. */
    Graph toGraph();

    @Override
    void close();
}
