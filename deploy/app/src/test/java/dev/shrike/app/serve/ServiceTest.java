package dev.shrike.app.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.DeviceException;
import dev.shrike.ShrikeException;
import dev.shrike.SourceException;
import dev.shrike.app.outputs.CameraControl;
import dev.shrike.app.outputs.Message;
import dev.shrike.app.outputs.Output;
import dev.shrike.app.outputs.OutputStatus;
import dev.shrike.app.outputs.Outputs;
import dev.shrike.app.serve.config.ServiceConfig;
import dev.shrike.app.serve.config.ServiceConfigs;
import dev.shrike.app.serve.systemd.DatagramReceiver;
import dev.shrike.app.serve.systemd.Supervisor;
import dev.shrike.sources.FrameSource;
import dev.shrike.sources.SourceState;
import dev.shrike.tracking.TrackEvent;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The whole service with a camera and a detector that do as they are told, under a supervisor that listens. */
@Tag("any-processor")
@Timeout(120)
class ServiceTest {
    private static final String ONE = """
            cameras:
              front: {source: 'test://'}
            page: {port: 0}
            tracking: {hits: 2, lost_seconds: 0.2}
            limits: {stall_seconds: 2, failures: 3}
            """;

    @TempDir
    private Path folder;

    private final Map<String, ScriptedCamera> cameras = new ConcurrentHashMap<>();
    private final List<ScriptedDetector> detectors = new CopyOnWriteArrayList<>();
    private final List<DetectorOptions> asked = new CopyOnWriteArrayList<>();
    private final List<Message> messages = new CopyOnWriteArrayList<>();
    private final ByteArrayOutputStream logged = new ByteArrayOutputStream();
    private final List<String> told = new ArrayList<>();
    private DatagramReceiver receiver;
    private Service service;
    private FutureTask<Integer> run;
    private volatile CameraControl control;

    @BeforeEach
    void listen() throws Throwable {
        receiver = new DatagramReceiver(folder.resolve("notify").toString());
    }

    @AfterEach
    void end() throws Exception {
        detectors.forEach(ScriptedDetector::release);
        if (run != null && !run.isDone()) {
            service.tell(new Command.Stop("test"));
            run.get();
        }
        receiver.close();
    }

    @Test
    void itIsReadyAfterTheFirstInferenceAndEndsWhenTold() throws Throwable {
        start(ONE);
        await(() -> told().stream().anyMatch(text -> text.startsWith("READY=1")));
        await(() -> messages.stream().anyMatch(message -> message instanceof Message.FrameResult));
        await(() -> told().contains("WATCHDOG=1"));
        service.tell(new Command.Stop("test"));
        assertEquals(0, run.get());
        await(() -> told().stream().anyMatch(text -> text.startsWith("STOPPING=1")));
        assertTrue(cameras.get("front").closed() && detectors.getFirst().closed());
        assertFalse(Files.exists(folder.resolve("last-failure.json")), "stopping is no failure");
    }

    @Test
    void aFrozenEngineIsNotFed() throws Throwable {
        start(ONE);
        await(() -> told().contains("WATCHDOG=1"));
        detectors.getFirst().hang();
        assertFrozen("the engine has not finished a frame");
        detectors.getFirst().release();
        await(() -> told().contains("WATCHDOG=1"));
        await(() -> page("/healthz").statusCode() == 200);
    }

    @Test
    void aCameraThatFallsSilentIsNotFed() throws Throwable {
        start(ONE);
        await(() -> told().contains("WATCHDOG=1"));
        cameras.get("front").fallSilent();
        assertFrozen("gives no frame");
    }

    private void assertFrozen(String reason) throws Throwable {
        await(() -> told().stream().anyMatch(text -> text.contains("frozen") && text.contains(reason)));
        told.clear();
        Thread.sleep(1500);
        assertFalse(told().contains("WATCHDOG=1"), "a frozen loop was fed");
        assertEquals(503, page("/healthz").statusCode());
        assertTrue(Files.readString(folder.resolve("last-failure.json")).contains(reason));
    }

    @Test
    void aCameraThatSaysThatItIsLostIsFedAndItsTracksEnd() throws Throwable {
        start(ONE);
        await(() -> events(TrackEvent.Kind.NEW) == 1);
        cameras.get("front").become(SourceState.Phase.LOST);
        await(() -> events(TrackEvent.Kind.END) == 1);
        assertTrue(messages.stream().anyMatch(message -> message instanceof Message.SourceChanged changed
                && changed.state().phase() == SourceState.Phase.LOST));
        told.clear();
        long frames = frames();
        Thread.sleep(3000);
        assertTrue(told().contains("WATCHDOG=1"), "a lost camera is no frozen loop");
        assertEquals(frames, frames(), "results without frames");
        assertTrue(page("/api/state").body().contains("the cable is gone"));
        cameras.get("front").become(SourceState.Phase.RUNNING);
        await(() -> events(TrackEvent.Kind.NEW) == 2);
    }

    @Test
    void losingTheGpuEndsWithOneAndTheReasonIsKept() throws Throwable {
        start(ONE);
        await(() -> frames() > 0);
        detectors.getFirst().fail(new DeviceException("CUDA error 700; restart the process, which has lost the GPU"));
        assertEquals(1, run.get());
        assertTrue(Files.readString(folder.resolve("last-failure.json")).contains("lost the GPU"));
        start(ONE);
        await(() -> page("/api/state").body().contains("lost the GPU"));
        assertTrue(log().contains("the last run failed"), log());
    }

    @Test
    void failuresOneAfterAnotherEndWithOne() throws Throwable {
        start(ONE);
        await(() -> frames() > 0);
        detectors.getFirst().fail(new SourceException("this frame cannot be read"));
        assertEquals(1, run.get());
        assertTrue(log().contains("3 detections failed one after another"), log());
        assertEquals(1, log().lines().filter(line -> line.startsWith("camera front: this frame")).count(), log());
    }

    @Test
    void aReloadSwapsOnlyWhatChanged() throws Throwable {
        start(ONE);
        await(() -> frames() > 0);
        ScriptedCamera front = cameras.get("front");
        reload(ONE.replace("page:", "  back: {source: 'test://'}\npage:"));
        await(() -> messages.stream().anyMatch(
                message -> message instanceof Message.FrameResult && message.camera().equals("back")));
        assertFalse(front.closed(), "an unchanged camera was opened anew");
        assertEquals(1, detectors.size(), "an unchanged engine was opened anew");
        assertTrue(told().stream().anyMatch(text -> text.startsWith("RELOADING=1\nMONOTONIC_USEC=")));
        reload(ONE.replace("limits:", "model: {confidence: 0.05}\nlimits:"));
        await(() -> detectors.size() == 2 && detectors.getFirst().closed());
        assertTrue(front.closed());
        assertEquals(0.05f, asked.getLast().confidence());
    }

    @Test
    void aBrokenConfigurationKeepsTheOld() throws Throwable {
        start(ONE);
        await(() -> frames() > 0);
        ScriptedCamera front = cameras.get("front");
        ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        for (String broken : List.of("page: [", "page: {prot: 1}\n" + ONE, ONE.replace("test://", "broken://"),
                ONE.replace("limits:", "model: {classes: [persn]}\nlimits:"),
                ONE.replace("port: 0", "port: " + taken.getLocalPort()),
                ONE.replace("limits:", "outputs: {file: {path: /broken}}\nlimits:"))) {
            told.clear();
            long before = log().lines().filter(line -> line.contains("the old configuration stays")).count();
            Files.writeString(folder.resolve("config.yaml"), broken);
            service.tell(new Command.Reload());
            await(() -> log().lines().filter(line -> line.contains("the old configuration stays")).count() > before);
            await(() -> told().stream().anyMatch(text -> text.startsWith("READY=1")));
            long frames = frames();
            await(() -> frames() > frames);
            assertFalse(front.closed(), broken);
            assertEquals(200, page("/healthz").statusCode());
        }
        taken.close();
        assertTrue(log().contains("did you mean 'person'?"), log());
    }

    @Test
    void itEndsWhenAllSourcesHave() throws Throwable {
        start(ONE);
        await(() -> frames() > 0);
        cameras.get("front").become(SourceState.Phase.ENDED);
        assertEquals(0, run.get());
        assertEquals(events(TrackEvent.Kind.NEW), events(TrackEvent.Kind.END));
    }

    @Test
    void aSourceThatFailsForGoodEndsWithOne() throws Throwable {
        start(ONE);
        await(() -> frames() > 0);
        cameras.get("front").fail("the file is damaged");
        assertEquals(1, run.get());
        assertTrue(log().contains("the file is damaged"), log());
    }

    @Test
    void whatCannotStartEndsWithItsReason() throws Throwable {
        Files.writeString(folder.resolve("config.yaml"), ONE.replace("test://", "broken://"));
        prepare();
        ShrikeException e = assertThrows(ShrikeException.class, service::run);
        assertTrue(e.getMessage().contains("no such source"), e.getMessage());
        assertTrue(Files.readString(folder.resolve("last-failure.json")).contains("no such source"));
        assertTrue(detectors.getFirst().closed());
        run = null;
    }

    @Test
    void aStateFolderThatCannotBeWrittenIsToldOnce() throws Throwable {
        start(ONE + "log: {state: /proc/nowhere}\n");
        await(() -> frames() > 0);
        detectors.getFirst().fail(new DeviceException("restart the process"));
        assertEquals(1, run.get());
        assertEquals(1, log().lines().filter(line -> line.contains("cannot be kept")).count(), log());
    }

    @Test
    void anOutputMaySwitchDetectionOffAndOn() throws Throwable {
        start(ONE);
        await(() -> events(TrackEvent.Kind.NEW) == 1);
        control.detect("front", false);
        control.detect("none", false);
        assertFalse(control.isDetecting("front"));
        assertEquals(1, events(TrackEvent.Kind.END));
        Thread.sleep(100);
        long frames = frames();
        Thread.sleep(300);
        assertEquals(frames, frames());
        control.detect("front", true);
        await(() -> events(TrackEvent.Kind.NEW) == 2);
        await(() -> control.snapshot("front").isPresent());
        assertEquals(Optional.empty(), control.snapshot("none"));
    }

    @Test
    void thePageShowsNoSecret() throws Throwable {
        start(ONE.replace("source: 'test://'", "source: 'rtsp://a:literalSecret@host/', user: u, password: hidden99"));
        await(() -> frames() > 0);
        String state = page("/api/state").body() + page("/metrics").body() + log() + told();
        assertFalse(state.contains("literalSecret") || state.contains("hidden99"), state);
        assertTrue(state.contains("\"cameras.front.password\":\"set\""), state);
    }

    private void start(String yaml) throws IOException {
        Files.writeString(folder.resolve("config.yaml"), yaml);
        prepare();
        run = new FutureTask<>(service::run);
        Thread.ofPlatform().daemon().start(run);
    }

    private void prepare() {
        FaultLog log = new FaultLog(new PrintStream(logged, true, StandardCharsets.UTF_8), false, System::nanoTime);
        Map<String, String> environment =
                Map.of("NOTIFY_SOCKET", folder.resolve("notify").toString(), "WATCHDOG_USEC", "1000000");
        service = new Service(() -> ServiceConfigs.read(folder.resolve("config.yaml"), Map.of(), Map.of()),
                new ScriptedOpeners(), log, new Supervisor(environment, 1), new BoardSensors(folder),
                Optional.of(folder), "test");
    }

    private void reload(String yaml) throws Exception {
        Files.writeString(folder.resolve("config.yaml"), yaml);
        long before = log().lines().filter(line -> line.contains("configuration read again")).count();
        service.tell(new Command.Reload());
        await(() -> log().lines().filter(line -> line.contains("configuration read again")).count() > before);
    }

    private final class ScriptedOpeners implements Openers {
        @Override
        public Detector detector(ServiceConfig.Engine engine, DetectorOptions options) {
            ScriptedDetector detector = new ScriptedDetector();
            detectors.add(detector);
            asked.add(options);
            return detector;
        }

        @Override
        public FrameSource source(ServiceConfig.Camera camera) {
            if (camera.source().startsWith("broken:")) {
                throw new SourceException("no such source");
            }
            ScriptedCamera opened = new ScriptedCamera();
            cameras.put(camera.id(), opened);
            return opened;
        }

        @Override
        public Outlets outputs(ServiceConfig config, CameraControl asking) {
            if (config.outputs().file().path().equals("/broken")) {
                throw new ShrikeException("no such folder");
            }
            control = asking;
            return new Outlets(new Outputs(List.of(new Output() {
                @Override
                public void send(Message message) {
                    messages.add(message);
                }

                @Override
                public OutputStatus status() {
                    return new OutputStatus("list", true, "", messages.size(), 0, 0);
                }

                @Override
                public void close() {
                    // nothing waits
                }
            })), () -> Optional.of("x 1\n"));
        }
    }

    private long events(TrackEvent.Kind kind) {
        return messages.stream()
                .filter(message -> message instanceof Message.Tracked tracked && tracked.event().kind() == kind)
                .count();
    }

    private long frames() {
        return messages.stream().filter(message -> message instanceof Message.FrameResult).count();
    }

    private List<String> told() {
        try {
            told.addAll(receiver.received());
            return told;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private HttpResponse<String> page(String path) throws Exception {
        await(() -> service.page().isPresent());
        int port = service.page().orElseThrow().getPort();
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }

    private String log() {
        return logged.toString(StandardCharsets.UTF_8);
    }

    private static void await(Callable<Boolean> condition) throws Exception {
        while (!condition.call()) {
            Thread.sleep(20);
        }
    }
}
