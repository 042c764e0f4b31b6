package dev.shrike.app.outputs.mavlink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.BackendUnavailableException;
import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.DeviceException;
import dev.shrike.StageTimes;
import dev.shrike.app.outputs.Message;
import dev.shrike.app.outputs.Samples;
import dev.shrike.sources.SourceState;
import dev.shrike.tracking.Track;
import io.dronefleet.mavlink.MavlinkConnection;
import io.dronefleet.mavlink.MavlinkMessage;
import io.dronefleet.mavlink.common.LandingTarget;
import io.dronefleet.mavlink.minimal.Heartbeat;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class MavlinkOutputTest {
    private static final Instant CAPTURED = Instant.ofEpochSecond(1_700_000_000, 123_456_000);

    private static MavlinkSettings settings(int port) {
        return new MavlinkSettings("127.0.0.1", port, "down", "helipad", 90, 60, 1, 191);
    }

    private static Detection pad(float score, float x1, float y1, float x2, float y2) {
        return new Detection(4, "helipad", score, x1, y1, x2, y2);
    }

    private static Message.FrameResult frame(List<Track> tracks, Detection... seen) {
        return new Message.FrameResult("down", 1, 5_000, true, 1, 0,
                new Detections(640, 480, CAPTURED, new StageTimes(1, 1, 1), List.of(seen)), tracks);
    }

    private static Track track(long id, Detection box, long lastNanos) {
        return new Track(id, box, 0, lastNanos, 5, 0, 0);
    }

    @Test
    void findsTheAnglesOfAPinholeCamera() {
        LandingTargetFinder finder = new LandingTargetFinder(settings(1));
        LandingTargetFinder.Target centre = finder.find(frame(List.of(), pad(1, 310, 230, 330, 250))).orElseThrow();
        assertEquals(0, centre.angleX(), 1e-6);
        assertEquals(0, centre.angleY(), 1e-6);
        assertEquals(2 * Math.atan(10.0 / 320), centre.sizeX(), 1e-6);
        assertEquals(1_700_000_000_123_456L, centre.epochMicros());
        LandingTargetFinder.Target corner = finder.find(frame(List.of(), pad(1, 630, 470, 650, 490))).orElseThrow();
        assertEquals(Math.toRadians(45), corner.angleX(), 1e-6);
        assertEquals(Math.toRadians(30), corner.angleY(), 1e-6);
        LandingTargetFinder.Target left = finder.find(frame(List.of(), pad(1, 150, 0, 170, 20))).orElseThrow();
        assertEquals(-Math.atan(.5), left.angleX(), 1e-6);
        assertTrue(left.angleY() < 0);
    }

    @Test
    void staysWithItsTargetAndTakesNoGuess() {
        LandingTargetFinder finder = new LandingTargetFinder(settings(1));
        Track weak = track(258, pad(.5f, 0, 0, 20, 20), 5_000);
        Track strong = track(9, pad(.9f, 600, 0, 620, 20), 5_000);
        assertEquals(2, finder.find(frame(List.of(weak))).orElseThrow().number());
        assertEquals(2, finder.find(frame(List.of(strong, weak))).orElseThrow().number());
        Track lost = track(258, weak.box(), 4_000);
        assertEquals(9, finder.find(frame(List.of(strong, lost))).orElseThrow().number());
        assertEquals(Optional.empty(), finder.find(frame(List.of(lost), pad(1, 0, 0, 9, 9))));
        assertEquals(Optional.empty(), finder.find(frame(List.of(), Samples.person(5))));
        assertEquals(Optional.empty(),
                finder.find(frame(List.of(), pad(1, Float.NEGATIVE_INFINITY, 0, Float.POSITIVE_INFINITY, 9))));
        assertEquals(Optional.empty(), finder.find(Samples.frame("up", 1, pad(1, 0, 0, 9, 9))));
    }

    @Test
    void sendsWhatAnAutopilotReads() throws Exception {
        try (DatagramSocket autopilot = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                MavlinkOutput output = MavlinkOutput.open(settings(autopilot.getLocalPort()))) {
            autopilot.setSoTimeout(30_000);
            output.send(Samples.source("down", SourceState.Phase.RUNNING, ""));
            boolean beaten = false;
            LandingTarget target = null;
            output.send(frame(List.of(), pad(1, 470, 230, 490, 250)));
            while (!beaten || target == null) {
                MavlinkMessage<?> message = receive(autopilot);
                assertEquals(1, message.getOriginSystemId());
                assertEquals(191, message.getOriginComponentId());
                beaten |= message.getPayload() instanceof Heartbeat;
                target = message.getPayload() instanceof LandingTarget one ? one : target;
            }
            assertEquals(Math.atan(.5), target.angleX(), 1e-6);
            assertEquals(0, target.angleY(), 1e-6);
            assertEquals(1_700_000_000_123_456L, target.timeUsec().longValueExact());
            assertEquals(0, target.positionValid());
            Samples.await("counted", () -> output.status().sent() == 1);
            assertTrue(output.status().working());
        }
    }

    private static MavlinkMessage<?> receive(DatagramSocket socket) throws IOException {
        DatagramPacket packet = new DatagramPacket(new byte[512], 512);
        socket.receive(packet);
        return MavlinkConnection.create(new ByteArrayInputStream(packet.getData(), 0, packet.getLength()),
                OutputStream.nullOutputStream()).next();
    }

    @Test
    void tellsThatNobodyListens() throws Exception {
        int port;
        try (DatagramSocket closed = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            port = closed.getLocalPort();
        }
        MavlinkOutput output = MavlinkOutput.open(settings(port));
        Samples.await("a reason", () -> {
            output.send(frame(List.of(), pad(1, 0, 0, 9, 9)));
            return !output.status().working();
        });
        output.close();
        long dropped = output.status().dropped();
        output.send(frame(List.of(), pad(1, 0, 0, 9, 9)));
        assertEquals(dropped + 1, output.status().dropped());
    }

    /** Loads our classes anew, and finds none of the library's, as where it is not installed. */
    private static final class WithoutLibrary extends ClassLoader {
        WithoutLibrary() {
            super(MavlinkOutputTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (name.startsWith("io.dronefleet.")) {
                throw new ClassNotFoundException(name);
            }
            if (!name.startsWith("dev.shrike.app.outputs.mavlink.")) {
                return super.loadClass(name, resolve);
            }
            Class<?> loaded = findLoadedClass(name);
            if (loaded != null) {
                return loaded;
            }
            try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
                byte[] code = in.readAllBytes();
                return defineClass(name, code, 0, code.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    @Test
    void namesTheLibraryThatIsMissing() throws Exception {
        ClassLoader loader = new WithoutLibrary();
        Class<?> type = loader.loadClass("dev.shrike.app.outputs.mavlink.MavlinkSettings");
        Object settings = type.getDeclaredConstructors()[0].newInstance("127.0.0.1", 14550, "down", "helipad", 90.0,
                60.0, 1, 191);
        InvocationTargetException failure = assertThrows(InvocationTargetException.class,
                () -> loader.loadClass("dev.shrike.app.outputs.mavlink.MavlinkOutput").getMethod("open", type)
                        .invoke(null, settings));
        assertEquals(BackendUnavailableException.class, failure.getCause().getClass());
        assertTrue(failure.getCause().getMessage().contains("mavlink-1.1.11.jar"), failure.getCause().getMessage());
    }

    @Test
    void refusesSettingsThatMakeNoSense() {
        assertThrows(IllegalArgumentException.class,
                () -> new MavlinkSettings("", 14550, "down", "helipad", 90, 60, 1, 191));
        assertThrows(IllegalArgumentException.class,
                () -> new MavlinkSettings("host", 0, "down", "helipad", 90, 60, 1, 191));
        assertThrows(IllegalArgumentException.class,
                () -> new MavlinkSettings("host", 1, "down", "helipad", 180, 60, 1, 191));
        assertThrows(IllegalArgumentException.class,
                () -> new MavlinkSettings("host", 1, "down", "helipad", 90, Double.NaN, 1, 191));
        assertThrows(IllegalArgumentException.class,
                () -> new MavlinkSettings("host", 1, "down", "helipad", 90, 60, 0, 191));
        DeviceException unknown = assertThrows(DeviceException.class,
                () -> MavlinkOutput.open(new MavlinkSettings("no.such.host.invalid", 1, "down", "x", 90, 60, 1, 191)));
        assertFalse(unknown.getMessage().isEmpty());
    }
}
