package dev.shrike.app.build;

import dev.shrike.calibration.quantize.BitWidths;
import dev.shrike.spi.BatchProfile;
import dev.shrike.spi.BuildOptions;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * What one run of {@code shrike build} is to do.
 *
 * @param model file or name of the model
 * @param output file to write
 * @param width wanted width of the network's input in pixels, 0 for the model's own
 * @param height wanted height, 0 for the model's own
 * @param quantization how to quantise; empty leaves the network as it is
 * @param engine what concerns files of the TensorRT engine alone
 * @param kernels how kernels are chosen
 * @param threads worker threads of the engine, also those to tune for; 0 takes one per processor
 * @param quiet whether to print errors only
 * @param progress whether a progress bar is wanted
 */
record BuildRequest(
        String model,
        Path output,
        int width,
        int height,
        Optional<Quantization> quantization,
        Engine engine,
        Kernels kernels,
        int threads,
        boolean quiet,
        boolean progress) {
    BuildRequest {
        Objects.requireNonNull(model, "model");
        Objects.requireNonNull(output, "output");
        Objects.requireNonNull(quantization, "quantization");
        Objects.requireNonNull(engine, "engine");
        Objects.requireNonNull(kernels, "kernels");
    }

    /**
     * What concerns files of the TensorRT engine.
     *
     * @param batches sizes of the batch, or empty for the engine's own
     * @param calibration images to find ranges on, or empty for the engine's own
     */
    record Engine(Optional<BatchProfile> batches, Optional<BuildOptions.Calibration> calibration) {
        /** Nothing of it. */
        static final Engine NONE = new Engine(Optional.empty(), Optional.empty());
    }

    /**
     * How kernels are chosen.
     *
     * @param tune whether to measure them on this machine
     * @param forced the one to use wherever it can be used, or empty
     */
    record Kernels(boolean tune, String forced) {
        Kernels {
            Objects.requireNonNull(forced, "forced");
        }
    }

    /**
     * How to quantise.
     *
     * @param widths of all layers but the first and the last ones
     * @param ofEnds widths of the first and the last layers, or empty for float
     * @param images folder, list or data.yaml of images like those that the network will see
     * @param most most images to take, at even distances of those that there are
     * @param strict whether an image that cannot be read ends the run
     */
    record Quantization(BitWidths widths, Optional<BitWidths> ofEnds, String images, int most, boolean strict) {
        Quantization {
            Objects.requireNonNull(widths, "widths");
            Objects.requireNonNull(ofEnds, "ofEnds");
            Objects.requireNonNull(images, "images");
        }
    }
}
