package dev.shrike.jetson;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Steps of the GPU suite that run a network in two ways, to the same end, and time both: candidates found on the GPU or
 * on the processor, and frames one by one or in batches. All with FP16 engines.
 */
record SuiteSpeed(SuiteFolder folder, String engine, Path logs, SuiteReport report) {
    private static final int COMPARED_IMAGES = 32;
    private static final int[] BATCHES = {2, 4, 8};
    /** Other kernels for other batches round in another way, which moves what scores near the threshold. */
    private static final double LEAST_AGREEMENT = 0.95;

    private Map<String, Double> figures(Class<?> main, Path cache, List<String> arguments)
            throws IOException, InterruptedException {
        return figures(main, cache, SuiteVariant.FP16, arguments);
    }

    private Map<String, Double> figures(Class<?> main, Path cache, SuiteVariant variant, List<String> arguments)
            throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(arguments);
        folder.images(COMPARED_IMAGES).forEach(image -> all.add(image.toString()));
        List<String> properties = variant.properties(cache, folder.calibration());
        return SuiteFolder.figures(
                SuiteChild.start(logs, List.of(), properties, main.getName(), all).result());
    }

    /** Compares detections of both ways bit for bit. */
    void decoding(Path model, Path cache) throws IOException, InterruptedException {
        Map<String, Double> figures = figures(SuiteDecoding.class, cache, List.of(engine, model.toString()));
        report.say("| thresholds | objects | images that differ | GPU: network ms | decode ms | CPU: network ms |"
                + " decode ms |");
        report.say("|---|---|---|---|---|---|---|");
        for (String thresholds : List.of("usual", "map")) {
            report.say(String.format(Locale.ROOT, "| %s | %.0f | %.0f | %.2f | %.2f | %.2f | %.2f |", thresholds,
                    figures.get(thresholds + "_objects"), figures.get(thresholds + "_differing"),
                    figures.get(thresholds + "_gpu_network_ms"), figures.get(thresholds + "_gpu_decode_ms"),
                    figures.get(thresholds + "_cpu_network_ms"), figures.get(thresholds + "_cpu_decode_ms")));
        }
        report.say("");
        report.say("A detector that may choose decodes on the " + (figures.get("auto_takes_gpu") == 1 ? "GPU" : "CPU")
                + ".");
        for (String thresholds : List.of("usual", "map")) {
            report.require(figures.get(thresholds + "_objects") > 0, "nothing is seen, so nothing is compared");
            report.require(figures.get(thresholds + "_differing") == 0,
                    "decoding on the GPU and on the CPU gives other detections, thresholds: " + thresholds);
        }
    }

    /** Runs one engine in two threads, which must see what one sees. */
    void threads(Path model, Path cache) throws IOException, InterruptedException {
        Map<String, Double> figures = figures(SuiteThreads.class, cache, List.of(engine, model.toString()));
        report.say(String.format(Locale.ROOT, "Two threads saw %.0f objects, %.2f ms a frame; one %.2f ms.",
                figures.get("objects"), figures.get("two_ms"), figures.get("one_ms")));
        report.require(figures.get("objects") > 0, "nothing is seen, so nothing is compared");
        report.require(figures.get("differing") == 0, "two threads see other things than one");
    }

    /** Compares what batches see with what single images give. */
    void batches(Path model, Path cache) throws IOException, InterruptedException {
        batches(model, cache, SuiteVariant.FP16, BATCHES);
    }

    /** The same with other engines and batches. */
    void batches(Path model, Path cache, SuiteVariant variant, int... sizes) throws IOException, InterruptedException {
        double least = Math.min(LEAST_AGREEMENT, variant.agreement());
        report.say("| batch | ms a frame | 1 to that many, ms a frame | alone, ms | objects alone | seen in batches |"
                + " seen in 1 to that many |");
        report.say("|---|---|---|---|---|---|---|");
        for (int batch : sizes) {
            Map<String, Double> figures =
                    figures(SuiteBatches.class, cache, variant, List.of(engine, model.toString(), "" + batch));
            report.say(String.format(Locale.ROOT, "| %d | %.2f | %.2f | %.2f | %.0f | %.3f | %.3f |", batch,
                    figures.get("batch_ms"), figures.get("open_ms"), figures.get("single_ms"), figures.get("objects"),
                    figures.get("agreement"), figures.get("open_agreement")));
            report.require(figures.get("objects") > 0, "nothing is seen, so nothing is compared");
            report.require(figures.get("agreement") >= least, "batches of " + batch + " see "
                    + figures.get("agreement") + " of the objects, less than " + least);
            report.require(figures.get("open_agreement") >= least, "batches of 1 to " + batch + " see "
                    + figures.get("open_agreement") + " of the objects, less than " + least);
        }
    }
}
