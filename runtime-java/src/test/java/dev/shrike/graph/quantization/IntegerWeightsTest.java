package dev.shrike.graph.quantization;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
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
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What weights say is taken if it fits the width that they are said to have. */
class IntegerWeightsTest {
    private static IntegerWeights weights(Quantization how, DataType type, long... codes) {
        Tensor tensor = Tensor.of(type, Shape.of(codes.length, 1, 1, 1), codes);
        Shape shape = Shape.of(1, 1, 1, 1);
        Node conv = new Node("conv", new Op.Conv(Window.square(1, 1, 0), 1, Activation.NONE), List.of("x", "w"),
                List.of("y"));
        Graph graph = new Graph("g", List.of(new ValueInfo("x", DataType.FLOAT32, shape)),
                List.of(new ValueInfo("y", DataType.FLOAT32, Shape.of(1, codes.length, 1, 1))), List.of(conv),
                Map.of("w", tensor), Map.of("x", Quantization.perTensor(1, 0, 8, false), "w", how), Map.of());
        return IntegerWeights.of(graph, conv);
    }

    private static void refused(String why, Quantization how, DataType type, long... codes) {
        ModelException e = assertThrows(ModelException.class, () -> weights(how, type, codes));
        assertTrue(e.getMessage().contains("node 'conv'") && e.getMessage().contains(why), e.getMessage());
    }

    @Test
    void codesOfTheWidthAreTaken() {
        assertArrayEquals(new byte[] {-8, 7, 0},
                weights(Quantization.perTensor(1, 0, 4, true), DataType.INT8, -8, 7, 0).codes());
        assertArrayEquals(new byte[] {0, 15},
                weights(Quantization.perTensor(1, 0, 4, false), DataType.INT8, 0, 15).codes());
        assertArrayEquals(new byte[] {-1, 1},
                weights(Quantization.bipolar(Tensor.scalar(1), -1), DataType.INT8, -1, 1).codes());
        assertArrayEquals(new byte[] {-128, 127},
                weights(Quantization.perTensor(1, 128, 8, false), DataType.UINT8, 0, 255).codes());
    }

    @Test
    void othersAreRefusedByNode() {
        refused("the code -9 of its weights is not one of 4 bits, -8 to 7", Quantization.perTensor(1, 0, 4, true),
                DataType.INT8, -9, 0);
        refused("the code -1 of its weights is not one of 4 bits, 0 to 15", Quantization.perTensor(1, 0, 4, false),
                DataType.INT8, -1, 15);
        refused("1 bit, -1 and 1", Quantization.bipolar(Tensor.scalar(1), -1), DataType.INT8, 1, 0);
        refused("is not one of 4 bits, 0 to 15", Quantization.perTensor(1, 0, 4, false), DataType.UINT8, 200);
        refused("the zero point 1000, which does not fit 8 bits", Quantization.perTensor(1, 1000, 8, true),
                DataType.INT8, 1);
    }
}
