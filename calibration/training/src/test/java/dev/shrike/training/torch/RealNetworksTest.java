package dev.shrike.training.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.training.TestNetworks;
import dev.shrike.training.TrainableModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.NoGradGuard;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** As {@link GraphNetworkTest} on small ones: files of real networks, where the folder with them is there. */
@Tag("any-processor")
class RealNetworksTest {
    private static final int SIDE = 64;

    private static Path file(String name) {
        String given = System.getenv("SHRIKE_SHARED");
        for (Path folder = Path.of("").toAbsolutePath(); folder != null && given == null; folder = folder.getParent()) {
            Path shared = folder.resolve("shared");
            given = Files.isDirectory(shared.resolve("models")) ? shared.toString() : null;
        }
        Path file = given == null ? null : Path.of(given, "models", name);
        assumeTrue(file != null && Files.exists(file), "no data folder (set SHRIKE_SHARED)");
        return file;
    }

    @ParameterizedTest
    @ValueSource(strings = {"yolov5n-640-bn.onnx", "yolov5n-dynamic.onnx", "crops-yolov5n-sparse-320-bn.onnx",
            "crops-yolov5n-pruned-p1.57M-320.onnx"})
    void headsAreThoseOfTheEvaluatorAndWeightsKeepTheirBits(String name) {
        TrainableModel model = TrainableModel.of(OnnxModels.read(file(name)), SIDE, SIDE);
        float[] pixels = TestNetworks.pixels(3 * SIDE * SIDE, 1);
        Map<String, Tensor> expected = ReferenceEvaluator.run(model.trunk(),
                Map.of(model.trunk().inputs().getFirst().name(), Tensor.ofFloats(Shape.of(1, 3, SIDE, SIDE), pixels)),
                new LinkedHashSet<>(model.head().outputs()));
        try (GraphNetwork network = new GraphNetwork(model.trunk(), new Device("cpu"));
                PointerScope _ = new PointerScope(); NoGradGuard _ = new NoGradGuard()) {
            var heads = network.forward(Tensors.of(pixels, 1, 3, SIDE, SIDE));
            for (int i = 0; i < heads.size(); i++) {
                float[] wanted = expected.get(model.head().outputs().get(i)).toFloats();
                float[] actual = Tensors.toFloats(heads.get(i));
                for (int k = 0; k < wanted.length; k++) {
                    assertEquals(wanted[k], actual[k], 1e-5 * Math.max(1, Math.abs(wanted[k])));
                }
            }
            Map<String, Tensor> back = OnnxModels.read(OnnxModels.toBytes(model.with(network.toGraph())), name, null)
                    .constants();
            model.trunk().constants().forEach((constant, value) -> assertEquals(-1,
                    value.data().mismatch(back.get(constant).data()), constant));
        }
    }
}
