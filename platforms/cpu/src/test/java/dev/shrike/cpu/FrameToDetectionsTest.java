package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.shrike.BlockYolo;
import dev.shrike.DetectOptions;
import dev.shrike.DetectionBuffer;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.Region;
import dev.shrike.onnx.OnnxModels;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** From the bytes of a camera to detections in a buffer: no garbage, and no OpenCV. */
class FrameToDetectionsTest {
    private static final DetectorOptions OPTIONS = DetectorOptions.DEFAULT.withEngine("cpu").withThreads(1);
    private static final int FRAMES = 1000;

    @TempDir
    private static Path folder;

    private static Path model;

    @BeforeAll
    static void writeTheModel() {
        model = folder.resolve("blocks.onnx");
        OnnxModels.write(BlockYolo.graph(), model);
    }

    @ParameterizedTest
    @EnumSource(names = {"YUYV", "NV12", "BGR"})
    void aThousandFramesAllocateNothing(PixelFormat format) {
        assertAllocatesNothing(noise(format, 320, 240), DetectOptions.DEFAULT);
    }

    @Test
    void norDoThresholdsAndRegions() {
        assertAllocatesNothing(noise(PixelFormat.YUYV, 320, 240), DetectOptions.DEFAULT.withThresholds(0.26f, 0.5f)
                .withRegions(new Region(0, 0, 201, 160), new Region(100, 80, 128, 128)));
    }

    private static void assertAllocatesNothing(Frame frame, DetectOptions options) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long self = Thread.currentThread().threadId();
        DetectionBuffer buffer = new DetectionBuffer();
        try (Detector detector = Detectors.open(model, OPTIONS)) {
            for (int i = 0; i < 20_000; i++) {
                frame.stamp(i, i, true, i);
                detector.detect(frame, options, buffer);
            }
            assertTrue(buffer.size() > 10, buffer.size() + " detections");
            // The compiler may still swap code in one window; a frame that allocates shows in every one.
            long least = Long.MAX_VALUE;
            for (int window = 0; window < 10 && least > 0; window++) {
                long before = threads.getThreadAllocatedBytes(self);
                for (int i = 0; i < FRAMES; i++) {
                    frame.stamp(i, i, true, i);
                    detector.detect(frame, options, buffer);
                }
                least = Math.min(least, threads.getThreadAllocatedBytes(self) - before);
            }
            assertEquals(0, least, "bytes on the Java heap in " + FRAMES + " frames");
        }
    }

    private static Frame noise(PixelFormat format, int width, int height) {
        Frame frame = Frame.allocate(format, width, height, "front");
        byte[] bytes = new byte[Math.toIntExact(frame.bytes())];
        new Random(8).nextBytes(bytes);
        MemorySegment.copy(bytes, 0, frame.pixels(), ValueLayout.JAVA_BYTE, 0, bytes.length);
        return frame;
    }

    /** In a process whose class path lacks OpenCV: who brings frames needs none. */
    @Test
    void framesNeedNoOpenCv() throws IOException, InterruptedException {
        String path = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !Path.of(entry).getFileName().toString().startsWith("opencv"))
                .collect(Collectors.joining(File.pathSeparator));
        assertFalse(path.equals(System.getProperty("java.class.path")), "OpenCV was not on the class path");
        Path said = folder.resolve("said.txt");
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-cp", path, WithoutOpenCv.class.getName(), model.toString())
                .redirectErrorStream(true).redirectOutput(said.toFile()).start();
        assertEquals(0, process.waitFor(), () -> read(said));
        assertTrue(read(said).contains("opencv is missing, detections: "), read(said));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Detects in frames of every raw format. */
    static final class WithoutOpenCv {
        private WithoutOpenCv() {}

        public static void main(String[] arguments) {
            int found = 0;
            try (Detector detector = Detectors.open(Path.of(arguments[0]), OPTIONS)) {
                detector.warmUp();
                for (PixelFormat format : PixelFormat.values()) {
                    if (format != PixelFormat.MJPEG) {
                        int here = detector.detect(noise(format, 320, 240)).size();
                        found += here;
                        if (here == 0) {
                            throw new IllegalStateException("nothing in " + format);
                        }
                    }
                }
            }
            try {
                Class.forName("org.bytedeco.opencv.opencv_core.Mat");
            } catch (ClassNotFoundException e) {
                System.out.println("opencv is missing, detections: " + found);
            }
        }
    }
}
