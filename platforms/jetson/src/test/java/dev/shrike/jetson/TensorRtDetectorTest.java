package dev.shrike.jetson;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.shrike.BlockYolo;
import dev.shrike.Detector;
import dev.shrike.DetectorContract;
import dev.shrike.DetectorOptions;
import dev.shrike.DetectorsOn;
import dev.shrike.jetson.binding.TensorRt.Calibration;
import dev.shrike.jetson.engine.EngineOptions;
import dev.shrike.jetson.engine.EngineOptions.Decode;
import dev.shrike.jetson.engine.EngineOptions.Precision;
import dev.shrike.jetson.execution.DecodeChoice;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** On a GPU and a TensorRT that the processor plays, one of each for every detector. */
class TensorRtDetectorTest extends DetectorContract {
    @TempDir
    private Path folder;

    private final Queue<HostGpu> gpus = new ConcurrentLinkedQueue<>();

    @Override
    protected Detector open() {
        HostGpu gpu = new HostGpu();
        Decode decode = gpus.size() % 2 == 0 ? Decode.GPU : Decode.CPU;
        gpus.add(gpu);
        EngineOptions options = new EngineOptions(Precision.FP32, Calibration.ENTROPY, Optional.empty(), 1, -1, 0,
                folder.resolve("cache"), false, decode, Optional.empty());
        TensorRtEngines engines = new TensorRtEngines(gpu, new FakeTensorRt(gpu), options,
                new DecodeChoice(decode, 1000, gpu::clock));
        return DetectorsOn.open(BlockYolo.graph(), DetectorOptions.DEFAULT, new EnginesBackend(engines));
    }

    @AfterEach
    void everythingWasReleased() {
        gpus.forEach(gpu -> assertEquals(0, gpu.open()));
    }
}
