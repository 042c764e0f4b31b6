package dev.shrike.sources;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.SourceException;
import dev.shrike.sources.SourceState.Phase;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
@Timeout(60)
class V4l2Test {
    /** How many bytes can be read, of any file. */
    private static final long FIONREAD = 0x541BL;

    private final FakeCamera camera = new FakeCamera();

    private FrameSource open(String path, SourceOptions options) {
        BackOff hasty = new BackOff(Duration.ofMillis(1), Duration.ofMillis(20), new Random(1));
        return new ReconnectingSource(path, new V4l2Link(Path.of(path), options, camera, UsbCameras.HERE), hasty);
    }

    private FrameSource open() {
        return open("/dev/video0", SourceOptions.builder().camera("left").build());
    }

    /** Opens the camera by asking for a frame that is shot once it streams. */
    private Frame first(FrameSource source) throws InterruptedException {
        Thread shooting = Thread.ofPlatform().start(() -> shootOnceItStreams(1));
        Frame frame = source.next().orElseThrow();
        shooting.join();
        return frame;
    }

    private void shootOnceItStreams(int value) {
        while (!camera.shoot(value, 1_000)) {
            java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
        }
    }

    private static int pixel(Frame frame) {
        return frame.pixels().get(ValueLayout.JAVA_BYTE, 0);
    }

    @Test
    void framesAreTheDriversBuffersWithItsTimesAndNumbers() throws InterruptedException {
        camera.padding = 10;
        try (FrameSource source = open()) {
            Frame first = first(source);
            assertEquals("YUYV 64x48 138 left", first.format() + " " + first.width() + "x" + first.height() + " "
                    + first.stride() + " " + first.camera());
            long before = first.sequence();
            long exposed = System.nanoTime() / 1_000 * 1_000 - 5_000_000;
            camera.shoot(7, exposed);
            Frame frame = source.next().orElseThrow();
            assertEquals(7, pixel(frame));
            assertEquals(exposed, frame.capturedNanos());
            assertEquals(before + 1, frame.sequence());
            // A time that is yet to come is none, nor is one of another clock: now is.
            camera.shoot(7, System.nanoTime() + 3_600_000_000_000L);
            assertTrue(source.next().orElseThrow().capturedNanos() <= System.nanoTime());
            long now = System.nanoTime();
            camera.shoot(8, 1, 0, camera.stride() * 48);
            assertTrue(source.next().orElseThrow().capturedNanos() >= now);
        }
        assertEquals(0, camera.mapped);
        assertEquals(0, camera.opened);
    }

    @Test
    void damagedFramesAreLeftOut() throws InterruptedException {
        try (FrameSource source = open()) {
            first(source);
            int whole = camera.stride() * 48;
            camera.shoot(2, 1, V4l2.FLAG_ERROR, whole);
            camera.shoot(3, 1, 0, whole - 1);
            camera.shoot(4, 1, 0, 0);
            camera.shoot(5, 1, 0, whole);
            assertEquals(5, pixel(source.next().orElseThrow()));
            assertEquals(3, source.damaged());
            camera.shoot(6, 1, V4l2.FLAG_ERROR, whole);
            camera.shoot(7, 1, 0, whole);
            assertEquals(7, pixel(source.next().orElseThrow()));
            assertEquals(4, source.damaged());
        }
    }

    @Test
    void retainedFramesStayAndTheDriverNeverRunsDry() throws InterruptedException {
        FrameSource source = open();
        first(source);
        List<Frame> kept = new ArrayList<>();
        for (int i = 10; i < 13; i++) {
            assertTrue(camera.shoot(i, 1));
            Frame frame = source.next().orElseThrow();
            assertTrue(source.retain(frame));
            kept.add(frame);
        }
        for (int i = 20; i < 40; i++) {
            assertTrue(camera.shoot(i, 1));
            Frame frame = source.next().orElseThrow();
            assertEquals(i, pixel(frame));
            assertFalse(source.retain(frame));
            assertTrue(camera.queued() >= 2, i + ": " + camera.queued());
        }
        assertEquals(List.of(10, 11, 12), kept.stream().map(V4l2Test::pixel).toList());
        source.release(kept.removeFirst());
        camera.shoot(50, 1);
        assertTrue(source.retain(source.next().orElseThrow()));
        source.close();
        assertEquals(3, camera.mapped, "those that are retained");
        assertEquals(List.of(11, 12), kept.stream().map(V4l2Test::pixel).toList());
        kept.forEach(source::release);
        assertEquals(1, camera.mapped);
    }

    @Test
    void jpegFramesHaveTheirLength() throws InterruptedException {
        try (FrameSource source = open("/dev/video0",
                SourceOptions.builder().format(PixelFormat.MJPEG).size(32, 24).build())) {
            first(source);
            camera.shoot(9, 1, V4l2.FLAG_TIMESTAMP_MONOTONIC, 1234);
            Frame frame = source.next().orElseThrow();
            assertEquals(PixelFormat.MJPEG, frame.format());
            assertEquals(1234, frame.pixels().byteSize());
            assertEquals("32x24", frame.width() + "x" + frame.height());
        }
    }

    @Test
    void jpegIsTakenWhereRawFramesAreTooSlow() throws InterruptedException {
        for (double rate : new double[] {5, 30}) {
            camera.rawRate = rate;
            try (FrameSource source = open("/dev/video0", SourceOptions.builder().rate(30).build())) {
                assertEquals(rate == 5 ? PixelFormat.MJPEG : PixelFormat.YUYV, first(source).format());
            }
        }
        camera.formats.remove("MJPG");
        camera.rawRate = 5;
        try (FrameSource source = open("/dev/video0", SourceOptions.builder().rate(30).build())) {
            assertEquals(PixelFormat.YUYV, first(source).format());
        }
    }

    @Test
    void whatACameraCannotDoIsRefusedWithWhatItCan() {
        assertRefused(SourceOptions.builder().size(640, 480).build(), "has no size 640x480 but 64x48, 32x24");
        assertRefused(SourceOptions.builder().format(PixelFormat.NV12).build(), "has no NV12 but YUYV, MJPEG");
        camera.card = "Metadata";
        assertRefused(SourceOptions.DEFAULTS, "gives no frames");
        camera.card = "Fake";
        camera.formats.removeIf(name -> !name.equals("H264"));
        assertRefused(SourceOptions.DEFAULTS, "no pixel format that is read here");
        assertEquals(0, camera.opened);
    }

    private void assertRefused(SourceOptions options, String why) {
        try (FrameSource source = open("/dev/video0", options)) {
            SourceException e = assertThrows(SourceException.class, source::next);
            assertTrue(e.getMessage().contains(why), e.getMessage());
            assertEquals(Phase.ENDED, source.state().phase());
        }
    }

    @Test
    void unpluggedCameraIsNoticedAndComesBack() throws InterruptedException {
        LinkedBlockingQueue<SourceState> states = new LinkedBlockingQueue<>();
        FrameSource source = open();
        source.listen(states::add);
        Frame kept = first(source);
        assertTrue(source.retain(kept));
        assertEquals(Phase.RUNNING, states.take().phase());
        Thread returning = Thread.ofPlatform().start(() -> {
            try {
                camera.unplug();
                assertEquals("it is not there", states.poll(60, TimeUnit.SECONDS).reason());
                assertEquals(1, pixel(kept));
                Thread.sleep(50);
                camera.plug("usb-1");
                shootOnceItStreams(77);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        Frame frame = source.next().orElseThrow();
        returning.join();
        assertEquals(77, pixel(frame));
        assertTrue(frame.sequence() > kept.sequence());
        assertEquals(new SourceState(Phase.RUNNING, "", 2, 1), source.state());
        source.release(kept);
        source.close();
        assertEquals(0, camera.mapped);
        assertEquals(0, camera.opened);
    }

    @Test
    void anotherCameraUnderTheSameNumberIsNotTakenForTheFirst() throws InterruptedException {
        FrameSource source = open();
        LinkedBlockingQueue<SourceState> states = new LinkedBlockingQueue<>();
        source.listen(states::add);
        first(source);
        Thread reader = Thread.ofPlatform().start(() -> {
            try {
                assertTrue(source.next().isEmpty());
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        camera.unplug();
        Thread.sleep(20);
        camera.plug("usb-2");
        SourceState state = states.poll(60, TimeUnit.SECONDS);
        while (!state.reason().contains("another camera")) {
            state = states.poll(60, TimeUnit.SECONDS);
        }
        assertTrue(state.reason().contains("Fake at usb-2 instead of Fake at usb-1"), state.reason());
        assertTrue(state.reason().contains("by-path"), state.reason());
        assertEquals(Phase.LOST, state.phase());
        source.close();
        reader.join();
    }

    @Test
    void frozenCameraIsNoticed() throws InterruptedException {
        FrameSource source = open("/dev/video0", SourceOptions.builder().stallTimeout(Duration.ofMillis(200)).build());
        LinkedBlockingQueue<SourceState> states = new LinkedBlockingQueue<>();
        source.listen(states::add);
        first(source);
        states.take();
        Thread reader = Thread.ofPlatform().start(() -> {
            try {
                source.next();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        assertEquals("no frame for 0.2 s", states.poll(60, TimeUnit.SECONDS).reason());
        source.close();
        reader.join();
    }

    @Test
    void interruptLeavesTheSourceUsable() throws InterruptedException {
        try (FrameSource source = open()) {
            first(source);
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, source::next);
            assertEquals(1, pixel(first(source)));
        }
    }

    @Test
    void rawFramesAllocateNothing() throws InterruptedException {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (FrameSource source = open()) {
            Frame last = first(source);
            long fewest = Long.MAX_VALUE;
            for (int round = 0; round < 200 && fewest > 0; round++) {
                long bytes = 0;
                for (int i = 0; i < 200; i++) {
                    camera.shoot(i, 1);
                    long before = threads.getCurrentThreadAllocatedBytes();
                    last = source.next().get();
                    bytes += threads.getCurrentThreadAllocatedBytes() - before;
                }
                fewest = Math.min(fewest, bytes);
            }
            assertSame(PixelFormat.YUYV, last.format());
            assertEquals(0, fewest, "bytes for 200 frames");
        }
    }

    @Test
    void callsOfEveryFrameAllocateNothing(@TempDir Path folder) throws IOException {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        Path file = Files.write(folder.resolve("file"), new byte[1234]);
        CLibrary library = new CLibrary();
        WallClock clock = new WallClock(Clock.systemUTC());
        int descriptor = library.open(file.toString());
        MemorySegment waiting = Arena.ofAuto().allocate(8, 8);
        long fewest = Long.MAX_VALUE;
        for (int round = 0; round < 200 && fewest > 0; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 200; i++) {
                assertTrue(library.poll(descriptor, 0) > 0);
                assertTrue(library.ioctl(descriptor, FIONREAD, waiting) >= 0);
                assertTrue(clock.microsAt(System.nanoTime()) > 0);
            }
            fewest = Math.min(fewest, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertEquals(0, fewest, "bytes for 200 frames");
        assertEquals(1234, waiting.get(ValueLayout.JAVA_INT, 0));
        // Failures have their numbers.
        assertEquals(-V4l2.E_NOTTY, library.ioctl(descriptor, V4l2.DQBUF, Arena.ofAuto().allocate(88, 8)));
        assertEquals(0, library.close(descriptor));
        assertEquals(-9, library.ioctl(descriptor, FIONREAD, waiting), "no such descriptor");
        assertEquals(-V4l2.E_NOENT, library.open(folder.resolve("none").toString()));
    }

    @Test
    void twoCamerasWithoutSerialNumbersAreToldApartByTheirPortsOnly(@TempDir Path sys) throws Exception {
        Path byId = sys.resolve("dev");
        Files.createDirectories(byId);
        Path link = Files.createSymbolicLink(byId.resolve("usb-Fake-index0"), Files.createFile(byId.resolve("video0")));
        usb(sys, "1-1", "video0", "1234", "");
        assertFalse(new UsbCameras(sys).isAmbiguous(link));
        usb(sys, "1-2", "video2", "9999", "");
        assertFalse(new UsbCameras(sys).isAmbiguous(link), "another model");
        usb(sys, "1-3", "video4", "1234", "S1");
        assertFalse(new UsbCameras(sys).isAmbiguous(link), "has a serial number");
        usb(sys, "1-4", "video6", "1234", "");
        assertTrue(new UsbCameras(sys).isAmbiguous(link));
        assertFalse(new UsbCameras(sys).isAmbiguous(byId.resolve("none")));
    }

    private static void usb(Path sys, String port, String video, String model, String serial) throws Exception {
        Path device = sys.resolve("devices/" + port);
        Path function = Files.createDirectories(device.resolve(port + ":1.0"));
        Files.writeString(device.resolve("idVendor"), "046d\n");
        Files.writeString(device.resolve("idProduct"), model + "\n");
        if (!serial.isEmpty()) {
            Files.writeString(device.resolve("serial"), serial + "\n");
        }
        Path node = Files.createDirectories(sys.resolve("class/video4linux").resolve(video));
        Files.createSymbolicLink(node.resolve("device"), function);
    }
}
