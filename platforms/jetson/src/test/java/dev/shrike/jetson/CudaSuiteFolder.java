package dev.shrike.jetson;

import dev.shrike.jetson.binding.CudaLibrary;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.binding.TensorRt;
import dev.shrike.jetson.engine.Ports;
import dev.shrike.jetson.kernels.KernelSource;
import dev.shrike.vision.Letterbox;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;

/**
 * What {@code cuda-suite.sh pack} put together: the kernels in NVIDIA's portable assembly (PTX), which the driver
 * compiles for its GPU, and digests of what the letterbox of the processor, which needs OpenCV, gives.
 *
 * @param root the folder
 */
record CudaSuiteFolder(Path root) {
    /** Virtual architectures: that of Xavier, and the oldest one that NVRTC 11.8 knows without a warning. */
    private static final List<Integer> ARCHITECTURES = List.of(72, 52);

    /** The kernels that are packed, by name. */
    private static Map<String, String> sources() throws IOException {
        Map<String, String> sources = new LinkedHashMap<>();
        for (KernelSource source : KernelSource.values()) {
            sources.put(source.kernel(), source.text());
        }
        sources.put(CudaErrorSteps.FAULT, CudaErrorSteps.faultSource());
        return sources;
    }

    /** Argument: the folder to fill. Needs NVRTC and OpenCV, but no GPU. */
    public static void main(String[] arguments) throws IOException {
        CudaSuiteFolder folder = new CudaSuiteFolder(Path.of(arguments[0]));
        folder.writeKernels();
        folder.writeDigests();
    }

    private void writeKernels() throws IOException {
        Files.createDirectories(root.resolve("ptx"));
        for (Map.Entry<String, String> source : sources().entrySet()) {
            for (int architecture : ARCHITECTURES) {
                try (BytePointer ptx =
                        CudaLibrary.toPtx(source.getValue(), source.getKey(), "compute_" + architecture)) {
                    Files.writeString(ptx(source.getKey(), architecture), ptx.getString());
                }
            }
        }
    }

    private Path ptx(String kernel, int architecture) {
        return root.resolve("ptx").resolve(kernel + "-" + architecture + ".ptx");
    }

    /** The kernel for a device, in the newest assembly that it takes. */
    String ptx(String kernel, Gpu.Device device) throws IOException {
        int capability = 10 * device.major() + device.minor();
        int newest = ARCHITECTURES.stream().filter(architecture -> architecture <= capability).findFirst()
                .orElseThrow(() -> new IOException(device.describe() + " is older than sm_" + ARCHITECTURES.getLast()));
        return Files.readString(ptx(kernel, newest));
    }

    void writeDigests() throws IOException {
        List<String> lines = new ArrayList<>();
        for (LetterboxCase each : LetterboxCase.all()) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment input = arena.allocate(Float.BYTES * each.floats(), 64);
                TensorRt.Port port = new TensorRt.Port("images", true,
                        List.of(1, 3, each.inputHeight(), each.inputWidth()), Float.BYTES, true);
                try (Letterbox letterbox = new Letterbox(Ports.binding(port, input), each.how())) {
                    letterbox.apply(each.frame(), each.transform());
                }
                lines.add(each.name() + " " + each.digest(input));
            }
        }
        Files.write(digestFile(), lines, StandardCharsets.US_ASCII);
    }

    private Path digestFile() {
        return root.resolve("letterbox.txt");
    }

    /** What the processor gave, by the name of the case. */
    Map<String, String> digests() throws IOException {
        Map<String, String> digests = new LinkedHashMap<>();
        for (String line : Files.readAllLines(digestFile(), StandardCharsets.US_ASCII)) {
            String[] words = line.split(" ", 2);
            digests.put(words[0], words[1]);
        }
        return digests;
    }

    /** A new folder below the results. */
    Path results(String name) throws IOException {
        return Files.createDirectories(root.resolve("results").resolve(name));
    }
}
