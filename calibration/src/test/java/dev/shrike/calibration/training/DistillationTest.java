package dev.shrike.calibration.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.activations.Elements;
import dev.shrike.calibration.quantize.BitWidths;
import dev.shrike.calibration.quantize.PtqOptions;
import dev.shrike.calibration.quantize.Quantizer;
import dev.shrike.calibration.quantize.SmallNetwork;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DistillationTest {
    private static final Backend BACKEND = Backends.usable(Backends.installed(), "").getFirst();
    private static final int IMAGES = 96;

    @TempDir
    private static Path folder;

    private static Quantizer quantizer;
    private static List<Path> files;
    private static Graph quantized;

    @BeforeAll
    static void quantize() {
        quantizer = new Quantizer(SmallNetwork.graph(4), Map.of(), BACKEND, 1);
        files = SmallNetwork.images(folder, IMAGES + 24);
        try (CalibrationImages images = images(0, 24)) {
            quantized = quantizer.quantize(quantizer.uniform(BitWidths.parse("w3a3")),
                    SmallNetwork.statistics(quantizer, images, BACKEND), images, PtqOptions.FULL, (_, _, _) -> {})
                    .graph();
        }
    }

    private static CalibrationImages images(int from, int to) {
        return new CalibrationImages(files.subList(from, to), quantizer.prepared().inputs().getFirst(), 0);
    }

    private static Graph tuned(int threads, List<Double> losses) {
        try (CalibrationImages images = images(0, IMAGES);
                Distillation distillation = new Distillation(quantizer.prepared(), quantized, images,
                        new Distillation.Options(12, 0.2, 2, threads))) {
            return distillation.run((_, _, loss) -> losses.add(loss)).graph();
        }
    }

    private static Map<String, float[]> run(Graph graph, float[] image) {
        try (GraphExecutor executor = BACKEND.open(graph, ExecutorOptions.DEFAULT.withThreads(1))) {
            Elements.write(image, executor.inputs().getFirst());
            executor.run();
            return Elements.all(executor.outputs());
        }
    }

    private static float[] image(int index) {
        try (CalibrationImages images = images(index, index + 1)) {
            float[] pixels = new float[Math.toIntExact(images.shape().elements())];
            images.read(0, pixels);
            return pixels;
        }
    }

    private static double error(float[] given, float[] wanted) {
        double error = 0;
        double energy = 0;
        for (int i = 0; i < wanted.length; i++) {
            error += Math.pow(given[i] - wanted[i], 2);
            energy += Math.pow(wanted[i], 2);
        }
        return error / energy;
    }

    /** On images that neither the layers nor the tuning have seen. */
    private static double distance(Graph graph) {
        double sum = 0;
        for (int i = IMAGES; i < files.size(); i++) {
            Map<String, float[]> wanted = run(quantizer.prepared(), image(i));
            Map<String, float[]> given = run(graph, image(i));
            sum += wanted.keySet().stream().mapToDouble(name -> error(given.get(name), wanted.get(name))).sum();
        }
        return sum / (files.size() - IMAGES);
    }

    @Test
    void theTunedNetworkIsCloserOnImagesNeverSeen() {
        List<Double> losses = new ArrayList<>();
        Graph tuned = tuned(2, losses);
        double before = distance(quantized);
        double after = distance(tuned);
        assertTrue(losses.getLast() < losses.getFirst(), losses.getFirst() + " to " + losses.getLast());
        assertTrue(after < 0.97 * before, before + " to " + after);
        assertEquals(quantized.quantization().keySet(), tuned.quantization().keySet());
        tuned.quantization().forEach((name, how) -> {
            Quantization was = quantized.quantization().get(name);
            assertEquals(was.bits(), how.bits(), name);
            assertEquals(was.minCode(), how.minCode(), name);
            Tensor codes = tuned.constants().get(name);
            for (int i = 0; codes != null && i < codes.elements(); i++) {
                assertTrue(codes.longAt(i) >= how.minCode() && codes.longAt(i) <= how.maxCode(), name);
            }
        });
    }

    /** What is tuned is what runs. */
    @Test
    void theStudentIsTheEngine() {
        Graph tuned = tuned(2, new ArrayList<>());
        for (Graph graph : List.of(quantized, tuned)) {
            Map<String, Rounding> roundings = new HashMap<>();
            graph.quantization().forEach((name, how) -> {
                if (!graph.constants().containsKey(name)) {
                    roundings.put(name, new Rounding(how, false));
                }
            });
            TrainingNetwork student =
                    new TrainingNetwork(graph, TrainingNetwork.parameters(graph), roundings,
                            TrainingNetwork.Gradients.NONE);
            student.forward(image(3));
            // Rounding the other way at a tie moves single values by a code.
            run(graph, image(3)).forEach((name, values) -> assertEquals(0,
                    error(student.value(name).shown, values), 0.01, name));
        }
    }

    @Test
    void theSameSeedGivesTheSameNetwork() {
        Graph once = tuned(2, new ArrayList<>());
        Graph again = tuned(2, new ArrayList<>());
        once.constants().forEach((name, tensor) -> assertEquals(-1,
                tensor.data().mismatch(again.constants().get(name).data()), name));
    }

    @Test
    void tooFewImagesAreRefused() {
        try (CalibrationImages few = images(0, 20)) {
            String message = assertThrows(UnsupportedModelException.class, () -> new Distillation(quantizer.prepared(),
                    quantized, few, Distillation.Options.of(1, 1)).close()).getMessage();
            assertTrue(message.contains("20 images"), message);
        }
    }
}
