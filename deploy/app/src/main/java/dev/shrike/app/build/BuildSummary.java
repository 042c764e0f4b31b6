package dev.shrike.app.build;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.quantization.IntegerWeights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What a build gave, for people.
 *
 * @param graph the network in the file
 * @param model where it came from
 * @param before bytes of that, since it may have been replaced
 * @param output the file
 */
record BuildSummary(Graph graph, Path model, long before, Path output) {
    private static final int FLOAT_BITS = 32;

    /** One line for the file, one for its input and one for the layers that multiply, by their bits. */
    List<String> lines() {
        long after = size(output);
        List<String> lines = new ArrayList<>();
        lines.add(String.format(Locale.ROOT, "%s: %.2f MB, %.1f %% of %s (%.2f MB)", output, after / 1e6,
                100.0 * after / before, model.getFileName(), before / 1e6));
        graph.inputs().forEach(input -> lines.add("input " + input.name() + ": " + describe(input.shape())));
        Map<String, Integer> layers = new TreeMap<>();
        Set<String> measured = IntegerWeights.measuredValues(graph);
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Conv || node.op() instanceof Op.Gemm || node.op() instanceof Op.MatMul) {
                layers.merge(bits(node, measured), 1, Integer::sum);
            }
        }
        List<String> counts = new ArrayList<>();
        layers.forEach((bits, count) -> counts.add(count + " " + bits));
        lines.add("layers: " + String.join(", ", counts));
        return lines;
    }

    private String bits(Node node, Set<String> measured) {
        Quantization activations = graph.quantization().get(node.input(0));
        Quantization weights = graph.quantization().get(node.input(1));
        if (weights != null && measured.contains(node.input(0))) {
            return "w" + weights.bits() + "a8 dynamic";
        }
        if (activations == null && weights == null) {
            return "float";
        }
        return "w" + (weights == null ? FLOAT_BITS : weights.bits()) + "a"
                + (activations == null ? FLOAT_BITS : activations.bits());
    }

    private static String describe(Shape shape) {
        return shape.rank() == 4 ? shape.dim(3) + "x" + shape.dim(2) + " pixels" : shape.toString();
    }

    /** Bytes of a file. */
    static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
