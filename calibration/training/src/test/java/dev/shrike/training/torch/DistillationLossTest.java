package dev.shrike.training.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.Graph;
import dev.shrike.training.DetectHead;
import dev.shrike.training.qat.TinyNetwork;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class DistillationLossTest {
    /** A tiny network's heads of 7 channels: one anchor of two classes. */
    private static final DetectHead HEAD = new DetectHead(DetectHead.Family.YOLOV5, 2, List.of(4, 8),
            List.of(8f, 8f, 16f, 16f), List.of("head", "coarse"));
    private static final List<String> FEATURES = List.of("fine", "narrow");

    private static Tensor image() {
        return TensorMath.ofFloats(TinyNetwork.image(2).toFloats(), 1, 3, TinyNetwork.SIDE, TinyNetwork.SIDE);
    }

    private static Tensor none() {
        return TensorMath.ofFloats(new float[0], 0, 6);
    }

    private static double inside(Graph student, Graph teacher) {
        try (PointerScope _ = new PointerScope();
                GraphNetwork network = new GraphNetwork(student, new Device("cpu"));
                Teacher teaching = new Teacher(new GraphNetwork(teacher, new Device("cpu")), HEAD, FEATURES)) {
            DistillationLoss loss = new DistillationLoss(teaching, network, FEATURES, Optional.empty(),
                    DistillationLoss.Weights.DEFAULT);
            teaching.show(image());
            return loss.of(network.forward(image()), none()).parts().get("features").item_double();
        }
    }

    @Test
    void aNetworkThatEqualsItsTeacherHasNothingToLearnInside() {
        assertEquals(0, inside(TinyNetwork.real(5), TinyNetwork.real(5)), 1e-9);
        assertTrue(inside(TinyNetwork.real(6), TinyNetwork.real(5)) > 0.1);
    }

    @Test
    void theHeadIsLeastWhereBothSayTheSame() {
        try (PointerScope _ = new PointerScope();
                GraphNetwork network = new GraphNetwork(TinyNetwork.real(5), new Device("cpu"));
                Teacher teaching = new Teacher(new GraphNetwork(TinyNetwork.real(5), new Device("cpu")), HEAD,
                        List.of())) {
            DistillationLoss loss = new DistillationLoss(teaching, network, List.of(), Optional.empty(),
                    DistillationLoss.Weights.DEFAULT);
            teaching.show(image());
            List<Tensor> heads = network.forward(image());
            Tensor total = loss.of(heads, none()).total();
            total.backward();
            double gradient = 0;
            for (Tensor parameter : network.parameters().values()) {
                gradient = Math.max(gradient, parameter.grad().abs().max().item_double());
            }
            assertEquals(0, gradient, 1e-3);
            List<Tensor> other = heads.stream().map(head -> TensorMath.add(head.detach(), 0.5)).toList();
            assertTrue(loss.of(other, none()).total().item_double() > total.item_double());
        }
    }

    @Test
    void aTeacherIsShownBatchesOfBytesToo() {
        try (PointerScope _ = new PointerScope();
                Teacher teaching = new Teacher(new GraphNetwork(TinyNetwork.real(5), new Device("cpu")), HEAD,
                        List.of())) {
            float[] floats = TinyNetwork.image(2).toFloats();
            byte[] bytes = new byte[floats.length];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) Math.round(255 * floats[i]);
            }
            teaching.show(image());
            float[] expected = TensorMath.floats(teaching.heads().getFirst());
            teaching.show(TensorMath.ofBytes(bytes, 1, 3, TinyNetwork.SIDE, TinyNetwork.SIDE));
            float[] found = TensorMath.floats(teaching.heads().getFirst());
            for (int i = 0; i < expected.length; i++) {
                assertEquals(expected[i], found[i], 1e-4);
            }
        }
    }
}
