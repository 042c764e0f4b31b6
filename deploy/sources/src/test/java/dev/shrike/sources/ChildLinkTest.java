package dev.shrike.sources;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.SourceException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
@Timeout(120)
class ChildLinkTest {
    private static final int BYTES = 64 * 16 * 3 / 2;

    @TempDir
    private Path folder;

    private static FrameSource open(String script) {
        CsiCamera camera = new CsiCamera(List.of("/bin/sh", "-c", script), 64, 16);
        return new ReconnectingSource("csi://0", new ChildLink(camera, SourceOptions.builder().camera("front").build()),
                new BackOff(Duration.ofMillis(1), Duration.ofMillis(20), new Random(1)));
    }

    @Test
    void framesOfTheChildComeInOrderAndItIsAskedToEnd() throws Exception {
        Path ended = folder.resolve("ended");
        try (FrameSource source = open("trap 'echo INT > " + ended + "; exit 0' INT; trap 'echo TERM > "
                + ended + "; exit 0' TERM; for v in 1 2 3;"
                + " do head -c " + BYTES
                + " /dev/zero | tr '\\0' \"\\\\$v\"; done; while :; do sleep 0.05; done")) {
            for (int i = 1; i <= 3; i++) {
                Frame frame = source.next().orElseThrow();
                assertEquals("I420 64x16 front " + (i - 1), frame.format() + " " + frame.width() + "x" + frame.height()
                        + " " + frame.camera() + " " + frame.sequence());
                assertEquals(PixelFormat.I420, frame.format());
                assertEquals(i, frame.pixels().get(ValueLayout.JAVA_BYTE, 0));
                assertEquals(i, frame.pixels().get(ValueLayout.JAVA_BYTE, BYTES - 1));
            }
        }
        assertEquals(isInterruptIgnored() ? "TERM" : "INT", Files.readString(ended).strip());
    }

    /** Whether SIGINT is ignored by this process, and so by its children, as in background jobs of a shell. */
    private static boolean isInterruptIgnored() throws Exception {
        String mask = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("SigIgn:")).findFirst().orElseThrow().substring(7).strip();
        return (Long.parseUnsignedLong(mask, 16) & 1 << 2 - 1) != 0;
    }

    @Test
    void endOfTheChildIsToldWithItsLastWords() throws Exception {
        FrameSource source = open("head -c " + BYTES + " /dev/zero; echo 'it burns' >&2; exit 3");
        LinkedBlockingQueue<String> reasons = new LinkedBlockingQueue<>();
        source.listen(state -> reasons.add(state.phase() + " " + state.reason()));
        Thread reader = Thread.ofPlatform().start(() -> {
            try {
                while (source.next().isPresent()) {
                    // on it goes
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        assertEquals("RUNNING ", reasons.poll(60, TimeUnit.SECONDS));
        assertEquals("LOST /bin/sh ended with status 3: it said: it burns", reasons.poll(60, TimeUnit.SECONDS));
        assertEquals("RUNNING ", reasons.poll(60, TimeUnit.SECONDS));
        source.close();
        reader.join();
    }

    @Test
    void wordsOfTheMakersProgramsAreUnderstood() {
        assertTrue(ChildLink.meaning("Error generated. gstnvarguscamerasrc.cpp, execute:751 Failed to create"
                + " CaptureSession").contains("restart nvargus-daemon"));
        assertTrue(ChildLink.meaning("(Argus) Error Timeout:  (propagating from src/rpc/socket/client)")
                .contains("nvargus-daemon"));
        assertTrue(ChildLink.meaning("ERROR: *** no cameras available ***").contains("cable"));
        assertTrue(ChildLink.meaning("failed to acquire camera: Device or resource busy").contains("in use"));
        assertEquals("it said: b", ChildLink.meaning("a\nb\n"));
    }

    @Test
    void programIsThatOfTheBoard() throws Exception {
        assertRefused("needs rpicam-vid");
        program("libcamera-vid");
        assertEquals("libcamera-vid", find(SourceOptions.DEFAULTS).program());
        program("rpicam-vid");
        CsiCamera pi = find(SourceOptions.builder().size(640, 480).rate(15).build());
        assertEquals("rpicam-vid --camera 1 --nopreview --timeout 0 --codec yuv420 --width 640 --height 480 --framerate"
                + " 15.000 --flush --output -", String.join(" ", pi.command()));
        SourceException e = assertThrows(SourceException.class,
                () -> find(SourceOptions.builder().size(650, 480).build()));
        assertTrue(e.getMessage().contains("multiple of 64"), e.getMessage());
        Files.createDirectories(folder.resolve("etc"));
        Files.writeString(folder.resolve("etc/nv_tegra_release"), "# R35");
        assertRefused("needs gst-launch-1.0");
        program("gst-launch-1.0");
        CsiCamera jetson = find(SourceOptions.DEFAULTS);
        assertEquals("gst-launch-1.0", jetson.program());
        assertTrue(String.join(" ", jetson.command()).endsWith("gst-launch-1.0 -q nvarguscamerasrc sensor-id=1 !"
                + " video/x-raw(memory:NVMM),width=1280,height=720,framerate=30000/1000,format=NV12 ! nvvidconv !"
                + " video/x-raw,format=I420 ! fdsink fd=3"), jetson.command().toString());
        assertFalse(jetson.command().contains("-c gst"));
    }

    private void program(String name) throws Exception {
        Files.createFile(folder.resolve(name), PosixFilePermissions.asFileAttribute(
                PosixFilePermissions.fromString("rwxr-xr-x")));
    }

    private CsiCamera find(SourceOptions options) {
        return CsiCamera.find(1, options, folder, folder.toString());
    }

    private void assertRefused(String why) {
        SourceException e = assertThrows(SourceException.class, () -> find(SourceOptions.DEFAULTS));
        assertTrue(e.getMessage().contains(why), e.getMessage());
    }
}
