package dev.shrike.app.serve;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.shrike.app.outputs.OutputStatus;
import dev.shrike.app.page.PageModel;
import dev.shrike.app.page.PageState;
import dev.shrike.app.page.PreviewFeed;
import dev.shrike.sources.SourceState;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** The state of the service as the page shows it. */
final class ServiceState implements PageModel {
    private static final long SENSORS_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long MEBIBYTE = 1L << 20;

    private final BoardSensors sensors;
    private final RecentEvents events;
    private final FaultLog log;
    private final String version;
    private final Optional<FailureRecord.Failure> lastFailure;
    private final long startedAt = System.nanoTime();
    private volatile Parts parts = new Parts(Map.of(), Openers.Outlets.NONE, "", "", Map.of());
    private volatile String illness = "the service starts";
    private volatile String phase = "starting";
    private BoardSensors.Reading reading;
    private long readAt;

    /**
     * What runs.
     *
     * @param cameras by id
     * @param outlets where results go
     * @param model name or file of the network
     * @param engine what runs it
     * @param settings as people may see them
     */
    record Parts(Map<String, CameraLoop> cameras, Openers.Outlets outlets, String model, String engine,
            Map<String, String> settings) {
        Parts {
            cameras = new TreeMap<>(cameras);
        }
    }

    ServiceState(BoardSensors sensors, RecentEvents events, FaultLog log, String version,
            Optional<FailureRecord.Failure> lastFailure) {
        this.sensors = sensors;
        this.events = events;
        this.log = log;
        this.version = version;
        this.lastFailure = lastFailure;
    }

    /** From here on this is what runs. */
    void set(Parts running) {
        parts = running;
    }

    /** What the service does, in a word or two, and what keeps it from its work. */
    void set(String doing, String keptBy) {
        phase = doing;
        illness = keptBy;
    }

    @Override
    public Optional<PreviewFeed> preview(String camera) {
        return Optional.ofNullable(parts.cameras().get(camera)).map(CameraLoop::preview);
    }

    @Override
    public Optional<String> metrics() {
        return parts.outlets().metrics().get();
    }

    @Override
    public Optional<String> illness() {
        String why = illness;
        return why.isEmpty() ? Optional.empty() : Optional.of(log.clean(why));
    }

    @Override
    public String state(boolean whole) {
        Parts running = parts;
        long now = System.nanoTime();
        ObjectNode state = PageState.create();
        state.put("version", version).put("phase", phase).put("illness", log.clean(illness))
                .put("upSeconds", TimeUnit.NANOSECONDS.toSeconds(now - startedAt))
                .put("model", log.clean(running.model())).put("engine", running.engine());
        lastFailure.ifPresent(failure -> state.putObject("lastFailure").put("reason", log.clean(failure.reason()))
                .put("time", failure.time()));
        board(state.putObject("board"));
        ArrayNode cameras = state.putArray("cameras");
        running.cameras().values().forEach(loop -> camera(cameras.addObject(), loop, now, whole));
        ArrayNode outputs = state.putArray("outputs");
        running.outlets().outputs().statuses().forEach(status -> output(outputs.addObject(), status));
        ArrayNode list = state.putArray("events");
        for (RecentEvents.Event event : events.list()) {
            list.addObject().put("number", event.number()).put("camera", event.camera()).put("kind", event.kind())
                    .put("text", event.text()).put("agoSeconds", TimeUnit.NANOSECONDS.toSeconds(now - event.nanos()));
        }
        if (whole) {
            ObjectNode settings = state.putObject("settings");
            running.settings().forEach((path, value) -> settings.put(path, log.clean(value)));
        }
        return PageState.text(state);
    }

    private void board(ObjectNode node) {
        BoardSensors.Reading now = reading();
        if (now.celsius().isPresent()) {
            node.put("celsius", now.celsius().getAsDouble());
        }
        now.throttling().forEach(node.putArray("throttling")::add);
        now.earlier().forEach(node.putArray("throttledEarlier")::add);
        node.put("residentMegabytes", now.residentBytes() / MEBIBYTE);
    }

    private synchronized BoardSensors.Reading reading() {
        long now = System.nanoTime();
        if (reading == null || now - readAt > SENSORS_NANOS) {
            reading = sensors.read();
            readAt = now;
        }
        return reading;
    }

    private void camera(ObjectNode node, CameraLoop loop, long now, boolean whole) {
        CameraLoop.Seen seen = loop.seen();
        node.put("id", loop.camera().id());
        SourceState source = PageState.source(node, loop.source(), log::clean);
        node.put("dropped", seen.dropped()).put("paused", loop.paused()).put("viewers", loop.preview().viewers());
        List<LatencyHistory.Point> points = loop.history().points(now, whole ? LatencyHistory.SECONDS : 2);
        if (!points.isEmpty()) {
            node.put("fps", points.getLast().frames()).put("ageMillis", points.getLast().age());
        }
        ArrayNode history = node.putArray("history");
        for (LatencyHistory.Point point : points) {
            history.addArray().add(point.second() - TimeUnit.NANOSECONDS.toSeconds(now))
                    .add(PageState.rounded(point.letterbox()))
                    .add(PageState.rounded(point.network())).add(PageState.rounded(point.decode()))
                    .add(PageState.rounded(point.age()))
                    .add(point.frames());
        }
        if (source.phase() == SourceState.Phase.RUNNING) {
            PageState.objects(node, seen.detections());
        }
    }

    private void output(ObjectNode node, OutputStatus status) {
        node.put("name", log.clean(status.name())).put("working", status.working())
                .put("reason", log.clean(status.reason())).put("sent", status.sent()).put("waiting", status.waiting())
                .put("dropped", status.dropped());
    }
}
