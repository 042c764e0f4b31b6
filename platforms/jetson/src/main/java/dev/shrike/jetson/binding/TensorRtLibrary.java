package dev.shrike.jetson.binding;

import dev.shrike.files.Interrupts;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.tensorrt.global.nvinfer;
import org.bytedeco.tensorrt.global.nvonnxparser;

/**
 * TensorRT 8.4 to 8.6 through JavaCPP's binding of 8.4. The binding reaches the library through virtual tables, to
 * which 8.5 and 8.6 only append, and seven functions that all of them have.
 */
public final class TensorRtLibrary implements TensorRt {
    private TensorRtLibrary() {}

    /**
     * The loaded library. Nothing of the GPU is touched.
     *
     * @throws dev.shrike.BackendUnavailableException if a library is missing; says what adds it
     */
    public static TensorRtLibrary open() {
        try {
            Interrupts.shield(() -> Loader.load(nvinfer.class));
            Interrupts.shield(() -> Loader.load(nvonnxparser.class));
            return new TensorRtLibrary();
        } catch (LinkageError | RuntimeException e) {
            throw MissingLibraries.explain("TensorRT", e);
        }
    }

    @Override
    public String version() {
        int version = nvinfer.getInferLibVersion();
        return version / 1000 + "." + version % 1000 / 100 + "." + version % 100;
    }

    @Override
    public Build build(Consumer<LogLine> log) {
        return new NetworkBuild(TensorRtLog.to(log));
    }

    @Override
    public Engine load(MemorySegment plan, int dlaCore) {
        return new LoadedEngine(plan, dlaCore);
    }
}
