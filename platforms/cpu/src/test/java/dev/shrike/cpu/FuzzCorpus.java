package dev.shrike.cpu;

import dev.shrike.cpu.file.GraphRecord;
import dev.shrike.cpu.file.TensorRecord;
import dev.shrike.cpu.plan.Plan;
import dev.shrike.graph.Graph;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.ExecutorOptions;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** The sound models that the fuzzers damage: small, made by code, the same in every run. */
final class FuzzCorpus {
    /** A file's three parts before they are damaged. */
    record Built(Map<String, Object> header, byte[] constants, Map<String, String> choices) {}

    private static final int RANDOM_GRAPHS = 8;

    private final Map<String, Graph> graphs = new TreeMap<>();

    FuzzCorpus() {
        graphs.putAll(FuzzNetworks.all());
        for (int i = 0; i < RANDOM_GRAPHS; i++) {
            Random random = new Random(100 + i);
            graphs.put("random" + i, RandomGraphs.make(random, 5));
            graphs.put("quantised" + i, RandomQuantization.network(random));
            graphs.put("qonnx" + i, RandomQonnx.make(random));
            graphs.put("dynamic" + i, RandomQuantization.dynamicNetwork(random));
        }
        SmallNetworks.Sizes sizes = new SmallNetworks.Sizes(3, 16, 5, 8, 3, 1);
        graphs.put("small", SmallNetworks.real(new Random(1), sizes));
        for (int bits : new int[] {1, 2, 4, 8}) {
            graphs.put("small-w" + bits, SmallNetworks.quantized(new Random(bits), sizes, bits, bits));
        }
    }

    /** The graphs by name. */
    Map<String, Graph> graphs() {
        return graphs;
    }

    /** ONNX files. */
    Map<String, byte[]> onnx() {
        Map<String, byte[]> files = new TreeMap<>();
        graphs.forEach((name, graph) -> files.put(name, OnnxModels.toBytes(graph)));
        return files;
    }

    /** What is in built files: networks before and after their passes, with and without choices of kernels. */
    Map<String, Built> built() {
        Map<String, Built> files = new TreeMap<>();
        graphs.forEach((name, graph) -> {
            files.put(name, build(graph, Map.of()));
            Graph optimised = GraphPasses.forInference(graph, Map.of());
            files.put(name + "-optimised", build(optimised, choices(optimised)));
        });
        return files;
    }

    private static Map<String, String> choices(Graph graph) {
        Map<String, String> choices = new LinkedHashMap<>();
        try (Plan plan = (Plan) new CpuBackend().open(graph, ExecutorOptions.DEFAULT.withThreads(1))) {
            choices.put("for", "any");
            plan.layers().forEach(layer -> choices.put(layer.key(), layer.kernel().label()));
        }
        return choices;
    }

    private static Built build(Graph graph, Map<String, String> choices) {
        TensorRecord.Writer writer = new TensorRecord.Writer();
        Map<String, Object> header = GraphRecord.write(graph, writer);
        return new Built(header, concatenated(writer.pieces()), choices);
    }

    private static byte[] concatenated(List<MemorySegment> pieces) {
        byte[] bytes = new byte[(int) pieces.stream().mapToLong(MemorySegment::byteSize).sum()];
        long at = 0;
        for (MemorySegment piece : new ArrayList<>(pieces)) {
            MemorySegment.copy(piece, 0, MemorySegment.ofArray(bytes), at, piece.byteSize());
            at += piece.byteSize();
        }
        return bytes;
    }
}
