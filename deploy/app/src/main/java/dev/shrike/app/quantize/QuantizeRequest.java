package dev.shrike.app.quantize;

import dev.shrike.calibration.quantize.BitWidths;
import dev.shrike.calibration.quantize.PtqOptions;
import dev.shrike.calibration.quantize.rounding.WeightFormat;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * What one run of {@code shrike quantize} is to do.
 *
 * @param output file to write
 * @param widths of all layers but the first and last; empty with a plan or a budget
 * @param codes weight codes under a budget
 * @param plan file with widths of each layer
 * @param savePlan file for the widths that were used
 * @param averageBits budget of the choice of widths, in bits a weight
 * @param megabytes budget of the choice of widths, in megabytes of weights
 * @param latency budget of the choice of widths, in time
 * @param activations width of activations under a budget
 * @param dynamicRanges whether ranges of activations are measured in each run; empty for what the plan says
 * @param ranges method for values below 8 bits
 * @param wideRanges method for values of 8 bits
 * @param preActivations whether what layers give to activation functions has codes; empty for what the plan says
 * @param effort how layers are fitted
 * @param epochs how often each image is shown to tune the network as a whole
 * @param crop side of the window of each image, 0 for all of it
 * @param seed decides where in the images the windows lie
 * @param forTensorRt whether the file is for TensorRT 8
 * @param cache calibration cache
 * @param memory gigabytes that the run may take
 */
record QuantizeRequest(Path output, Optional<BitWidths> widths, WeightFormat codes, Optional<Path> plan,
        Optional<Path> savePlan,
        Optional<Double> averageBits, Optional<Double> megabytes, Optional<LatencyBudget> latency, int activations,
        Optional<Boolean> dynamicRanges, Optional<String> ranges,
        Optional<String> wideRanges, Optional<Boolean> preActivations, PtqOptions effort, int epochs, int crop,
        long seed,
        boolean forTensorRt,
        Optional<Path> cache,
        double memory) {
    /**
     * A budget in time.
     *
     * @param nanos of all layers together
     * @param table file of what each layer takes
     */
    record LatencyBudget(long nanos, Path table) {}

    QuantizeRequest {
        Objects.requireNonNull(output, "output");
        Objects.requireNonNull(effort, "effort");
    }
}
