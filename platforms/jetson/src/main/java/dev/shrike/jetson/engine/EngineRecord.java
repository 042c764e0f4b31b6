package dev.shrike.jetson.engine;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.shrike.ModelException;
import dev.shrike.jetson.binding.TensorRt.Calibration;
import dev.shrike.spi.BatchProfile;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What an engine was built from and for, as people and programs read it.
 *
 * @param model SHA-256 of the ONNX file that TensorRT parsed
 * @param precision formats that layers may run in
 * @param calibration how ranges were found, or null if the model brought them or there is no INT8
 * @param data SHA-256 of the images that they were found on, or null
 * @param dlaCore deep learning accelerator, or -1
 * @param batches sizes of the batch, or null if it is fixed
 * @param workspaceBytes most memory that a layer may take, or 0 for a share of what was free
 * @param detailed whether it keeps what a profiler shows
 * @param tensorRt version of TensorRT
 * @param gpu name of the GPU
 * @param compute compute capability of the GPU, such as {@code "7.2"}
 * @param onGpu layers that were to run on the accelerator and run on the GPU instead
 * @param buildSeconds how long the build took
 */
public record EngineRecord(
        String model,
        EngineOptions.Precision precision,
        Calibration calibration,
        String data,
        int dlaCore,
        BatchProfile batches,
        long workspaceBytes,
        boolean detailed,
        String tensorRt,
        String gpu,
        String compute,
        List<String> onGpu,
        double buildSeconds) {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES);

    public EngineRecord {
        onGpu = onGpu == null ? List.of() : List.copyOf(onGpu);
    }

    /** The same after the build. */
    EngineRecord built(List<String> fallenBack, double seconds) {
        return new EngineRecord(model, precision, calibration, data, dlaCore, batches, workspaceBytes, detailed,
                tensorRt, gpu, compute, fallenBack, seconds);
    }

    /** Everything that decides whether an engine may be used in place of another, as a name for files. */
    public String key() {
        return Digests.of(String.join("\n", model, precision.name(), String.valueOf(calibration), String.valueOf(data),
                "" + dlaCore, String.valueOf(batches), "" + workspaceBytes, "" + detailed, tensorRt, gpu, compute))
                .substring(0, 32);
    }

    /** Why an engine of this record cannot serve where one of the other was asked for; empty if it can. */
    public String difference(EngineRecord wanted) {
        StringBuilder text = new StringBuilder();
        compare(text, "model", model, wanted.model);
        compare(text, "precision", precision, wanted.precision);
        compare(text, "calibration", calibration, wanted.calibration);
        compare(text, "calibration images", data, wanted.data);
        compare(text, "DLA core", dlaCore, wanted.dlaCore);
        compare(text, "batches", batches, wanted.batches);
        compare(text, "workspace", workspaceBytes, wanted.workspaceBytes);
        compare(text, "detail", detailed, wanted.detailed);
        compare(text, "TensorRT", tensorRt, wanted.tensorRt);
        compare(text, "GPU", gpu, wanted.gpu);
        compare(text, "compute capability", compute, wanted.compute);
        return text.toString();
    }

    private static void compare(StringBuilder text, String what, Object own, Object wanted) {
        if (!String.valueOf(own).equals(String.valueOf(wanted))) {
            text.append(text.isEmpty() ? "" : ", ").append(what).append(' ').append(own).append(" instead of ")
                    .append(wanted);
        }
    }

    /** For people, a line each. */
    public List<String> describe() {
        List<String> lines = new ArrayList<>();
        lines.add("TensorRT " + tensorRt + " engine for " + gpu + ", " + precision
                + (calibration == null ? "" : " with " + calibration + " calibration")
                + (batches == null ? "" : ", batches of " + batches.describe())
                + String.format(Locale.ROOT, ", built in %.0f s", buildSeconds));
        if (!onGpu.isEmpty()) {
            lines.add(onGpu.size() + " layers run on the GPU instead of DLA " + dlaCore + ": "
                    + String.join(", ", onGpu));
        }
        return lines;
    }

    public byte[] toJson() {
        try {
            return JSON.writeValueAsBytes(this);
        } catch (JacksonException e) {
            throw new IllegalStateException("a record of texts and numbers is JSON", e);
        }
    }

    /**
     * The record in JSON.
     *
     * @throws ModelException if there is none
     */
    public static EngineRecord fromJson(byte[] json) {
        try {
            EngineRecord record = JSON.readValue(json, EngineRecord.class);
            if (record == null || record.model == null || record.precision == null || record.tensorRt == null
                    || record.gpu == null || record.compute == null) {
                throw new ModelException("the description of the engine is incomplete");
            }
            return record;
        } catch (java.io.IOException e) {
            throw new ModelException("the description of the engine is damaged: " + e.getMessage(), e);
        }
    }
}
