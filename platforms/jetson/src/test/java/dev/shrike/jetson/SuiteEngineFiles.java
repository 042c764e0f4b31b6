package dev.shrike.jetson;

import dev.shrike.jetson.engine.EngineFile;
import dev.shrike.jetson.engine.EngineRecord;
import dev.shrike.spi.BatchProfile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * What a user may give in place of an engine that was built here: one of another GPU or another TensorRT, which is
 * built again, and one that is damaged or cut off, which is refused.
 *
 * @param built an engine of this device
 */
record SuiteEngineFiles(Path built) {
    /** The same engine, as if it were for another GPU. */
    Path ofAnotherGpu() throws IOException {
        EngineRecord record = EngineFile.read(built).record();
        return withRecord("other-gpu.engine", record.tensorRt(), "Another GPU, 1 multiprocessors");
    }

    /** The same engine, as if another TensorRT had built it. */
    Path ofAnotherTensorRt() throws IOException {
        return withRecord("other-tensorrt.engine", "8.0.0", EngineFile.read(built).record().gpu());
    }

    private Path withRecord(String name, String tensorRt, String gpu) {
        EngineFile file = EngineFile.read(built);
        EngineRecord own = file.record();
        BatchProfile batches = own.batches();
        EngineRecord other = new EngineRecord(own.model(), own.precision(), own.calibration(), own.data(),
                own.dlaCore(), batches, own.workspaceBytes(), own.detailed(), tensorRt, gpu, own.compute(),
                own.onGpu(), own.buildSeconds());
        Path to = built.resolveSibling(name);
        new EngineFile(other, file.onnx(), file.calibration(), file.plan()).write(to);
        return to;
    }

    /** One byte of the engine is another. */
    Path damaged() throws IOException {
        byte[] bytes = Files.readAllBytes(built);
        bytes[bytes.length - 1 - bytes.length / 8] ^= 1;
        return Files.write(built.resolveSibling("damaged.engine"), bytes);
    }

    /** The last byte is missing. */
    Path cutOff() throws IOException {
        byte[] bytes = Files.readAllBytes(built);
        return Files.write(built.resolveSibling("cut-off.engine"), Arrays.copyOf(bytes, bytes.length - 1));
    }
}
