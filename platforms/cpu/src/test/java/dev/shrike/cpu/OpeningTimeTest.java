package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Networks of very many nodes open in seconds. The bound is generous, for machines that do other things too: while
 * storages were packed in quadratic time, a fifth as many nodes took 25 seconds.
 */
class OpeningTimeTest {
    private static final Duration LONGEST = Duration.ofSeconds(120);
    private static final Shape SHAPE = Shape.of(1, 2, 2, 2);
    private static final Op TANH = Op.Unary.of(Op.Unary.Kind.TANH);
    private static final Op ADD = new Op.Binary(Op.Binary.Kind.ADD);
    private static final Op CONV = new Op.Conv(Window.square(1, 1, 0), 1, Activation.NONE);

    private final List<Node> nodes = new ArrayList<>();
    private final List<ValueInfo> inputs = new ArrayList<>();
    private final List<ValueInfo> outputs = new ArrayList<>();
    private final Map<String, Tensor> constants = new HashMap<>();
    private final Map<String, Quantization> quantization = new HashMap<>();
    private String last = "x";

    /** What each link of a chain is made of. */
    enum Link {
        FUNCTION,
        CONVOLUTION_AND_RESIDUAL,
        CONVOLUTION_AND_NORMALISATION,
        SPLIT_AND_CONCAT,
        IDENTITY_AND_TRANSPOSE,
        QUANTISERS,
        CODES,
        WEIGHTS_OF_CODES,
        RELU_TO_CODES,
        MORE_INPUTS,
        MORE_OUTPUTS,
    }

    private String node(String name, Op op, String... from) {
        nodes.add(new Node(name, op, List.of(from), List.of(name)));
        return name;
    }

    private void link(Link link, int i) {
        switch (link) {
            case FUNCTION -> last = node("u" + i, TANH, last);
            case CONVOLUTION_AND_RESIDUAL -> last = node("u" + i, ADD, node("k" + i, CONV, last, "w"), last);
            case CONVOLUTION_AND_NORMALISATION -> last = node("u" + i, new Op.BatchNormalization(1e-3f),
                    node("k" + i, CONV, last, "w"), "ones", "ones", "ones", "ones");
            case SPLIT_AND_CONCAT -> {
                String function = node("t" + i, TANH, last);
                nodes.add(new Node("p" + i, new Op.Split(1), List.of(function), List.of("p" + i, "q" + i)));
                last = node("u" + i, new Op.Concat(1), "p" + i, "q" + i);
            }
            case IDENTITY_AND_TRANSPOSE -> last =
                    node("u" + i, new Op.Transpose(List.of(0, 1, 3, 2)), node("k" + i, new Op.Identity(), last));
            case QUANTISERS -> last = node("u" + i, new Op.DequantizeLinear(1),
                    node("q" + i, new Op.QuantizeLinear(1, null), node("t" + i, TANH, last), "scale", "zero"), "scale",
                    "zero");
            case CODES -> codes(node("u" + i, CONV, last, "codes"), 3);
            case WEIGHTS_OF_CODES -> last = node("u" + i, CONV, last, "codes");
            case RELU_TO_CODES -> codes(node("u" + i, Op.Unary.of(Op.Unary.Kind.RELU), node("k" + i, ADD, last, "x")),
                    0);
            case MORE_INPUTS -> {
                inputs.add(new ValueInfo("x" + i, DataType.FLOAT32, SHAPE));
                codes("x" + i, 3);
                last = node("u" + i, ADD, i == 0 ? "x" : "u" + (i - 1), "x" + i);
            }
            case MORE_OUTPUTS -> outputs.add(new ValueInfo(node("u" + i, TANH, "x"), DataType.FLOAT32, SHAPE));
        }
    }

    private void codes(String value, int zero) {
        quantization.put(value, Quantization.perTensor(0.1f, zero, 8, false));
        last = value;
    }

    private Graph chain(Link link, int count) {
        inputs.add(new ValueInfo("x", DataType.FLOAT32, SHAPE));
        constants.put("w", Tensor.ofFloats(Shape.of(2, 2, 1, 1), 1, 0, 0, 1));
        constants.put("codes", Tensor.of(DataType.INT8, Shape.of(2, 2, 1, 1), 1, 0, 0, 1));
        quantization.put("codes", Quantization.perTensor(1, 0, 8, true));
        constants.put("ones", Tensor.ofFloats(Shape.of(2), 1, 1));
        constants.put("scale", Tensor.scalar(0.1f));
        constants.put("zero", Tensor.of(DataType.UINT8, Shape.of(), 3));
        for (int i = 0; i < count; i++) {
            link(link, i);
        }
        node("end", TANH, last);
        outputs.add(new ValueInfo("end", DataType.FLOAT32, SHAPE));
        return new Graph("chain", inputs, outputs, nodes, constants, quantization, Map.of());
    }

    private static int opened(Graph graph) {
        return assertTimeoutPreemptively(LONGEST, () -> {
            try (GraphExecutor executor = new CpuBackend().open(graph, ExecutorOptions.DEFAULT.withThreads(1))) {
                executor.run();
                return executor.times().size();
            }
        });
    }

    @Test
    void aHundredThousandNodes() {
        assertEquals(100_001, opened(chain(Link.FUNCTION, 100_000)));
    }

    /** What rewrites a graph neither calls itself as deep as a chain is long nor goes over it once for each link. */
    @ParameterizedTest
    @EnumSource(Link.class)
    void tenThousandLinksOfEveryKind(Link link) {
        opened(chain(link, 10_000));
    }
}
