package dev.shrike.training;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.shrike.files.FileReplacement;
import dev.shrike.training.data.Augmentation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/**
 * What the child process is to do, as the file {@code job.json} of a run holds it.
 *
 * @param model ONNX file to start from, with the head and the batch normalisation that are trained
 * @param images file of decoded images
 * @param folder where checkpoints and networks go
 * @param width of the input in pixels; likewise the height
 * @param insertNormalization whether batch normalisation of the model is new and takes its statistics from images first
 * @param schedule how long and how fast it learns
 * @param freeze number of modules at the beginning that do not learn
 * @param augmentation how images are changed
 * @param plainEpochs last epochs without mosaics
 * @param seed of everything random
 * @param threads of PyTorch
 * @param device {@code cpu} or {@code cuda}
 * @param methods what it does beside learning labels
 * @param digests of what the run was given, by what it is; empty in files of earlier versions
 */
public record TrainingJob(String model, String images, String folder, int width, int height,
        boolean insertNormalization, LearningSchedule schedule, int freeze, Augmentation augmentation, int plainEpochs,
        long seed, int threads, String device, TrainingMethods methods,
        Map<String, String> digests) {
    public TrainingJob {
        Objects.requireNonNull(model, "model");
        Objects.requireNonNull(images, "images");
        Objects.requireNonNull(folder, "folder");
        Objects.requireNonNull(schedule, "schedule");
        Objects.requireNonNull(augmentation, "augmentation");
        Objects.requireNonNull(device, "device");
        Objects.requireNonNull(methods, "methods");
        digests = digests == null ? Map.of() : Map.copyOf(digests);
        if (freeze < 0 || plainEpochs < 0 || threads < 1) {
            throw new IllegalArgumentException("freeze " + freeze + ", " + plainEpochs + " epochs without mosaics, "
                    + threads + " threads");
        }
    }

    /** What is asked of a record, such as {@code isNone}, is no part of it. */
    private static ObjectMapper mapper() {
        return JsonMapper.builder().disable(MapperFeature.AUTO_DETECT_IS_GETTERS).build();
    }

    /**
     * The job in a file.
     *
     * @throws TrainingException if it is none
     */
    public static TrainingJob read(Path file) {
        try {
            return mapper().readValue(file.toFile(), TrainingJob.class);
        } catch (IOException e) {
            throw new TrainingException(file + ": is no job: " + e.getMessage(), e);
        }
    }

    /** Writes the job. */
    void write(Path file) {
        FileReplacement.write(file, stream -> stream.write(mapper().writerWithDefaultPrettyPrinter()
                .writeValueAsBytes(this)));
    }

    /** The job as JSON, by its components. */
    JsonNode json() {
        return mapper().valueToTree(this);
    }
}
