package dev.shrike.app.outputs;

import dev.shrike.Detection;
import dev.shrike.StageTimes;
import dev.shrike.sources.SourceState;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Counts what the service does, for Prometheus. It keeps numbers only, so nothing ever waits; names are in
 * {@code docs/outputs.md}.
 */
public final class Metrics implements Output {
    /** What {@link #text} is, for the header of a response. */
    public static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

    /** Further pairs of camera and label are counted under the label "other". */
    private static final int MOST_LABELS = 1000;
    /** From 1 ms to 8 s, each the double of the one before. */
    private static final double FIRST_BUCKET = .001;
    private static final int BUCKETS = 14;

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final Supplier<List<OutputStatus>> outputs;
    private final Set<String> pairs = ConcurrentHashMap.newKeySet();
    private final Counter frames = counter("shrike_frames", "Frames looked through", "camera");
    private final Gauge dropped = gauge("shrike_frames_dropped", "Frames that were replaced by newer ones", "camera");
    private final Counter detections = counter("shrike_detections", "Objects seen in frames", "camera", "label");
    private final Counter events = counter("shrike_events", "Events of tracks", "camera", "event", "label");
    private final Gauge tracks = gauge("shrike_tracks", "Objects that are followed", "camera");
    private final Histogram stages = histogram("shrike_stage_seconds", "Time of each stage", "camera", "stage");
    private final Histogram ages =
            histogram("shrike_result_age_seconds", "From the capture of a frame to its result", "camera");
    private final Gauge up = gauge("shrike_camera_up", "Whether frames come", "camera");
    private final Gauge phases = gauge("shrike_camera_phase", "What the camera does: 1 for that", "camera", "phase");
    private final Gauge reconnects =
            gauge("shrike_camera_reconnects", "Times that the camera was lost and found again", "camera");
    private final Gauge outputUp = gauge("shrike_output_up", "Whether messages get out", "output");
    private final Gauge outputSent = gauge("shrike_output_sent", "Messages that went out", "output");
    private final Gauge outputWaiting = gauge("shrike_output_waiting", "Messages that wait", "output");
    private final Gauge outputDropped =
            gauge("shrike_output_dropped", "Messages that there was no room for", "output");

    /** @param outputs asked with each {@link #text} for how the outputs do */
    public Metrics(Supplier<List<OutputStatus>> outputs) {
        this.outputs = Objects.requireNonNull(outputs, "outputs");
    }

    private Counter counter(String name, String help, String... labels) {
        return Counter.builder().name(name).help(help).labelNames(labels).register(registry);
    }

    private Gauge gauge(String name, String help, String... labels) {
        return Gauge.builder().name(name).help(help).labelNames(labels).register(registry);
    }

    private Histogram histogram(String name, String help, String... labels) {
        return Histogram.builder().name(name).help(help).labelNames(labels).classicOnly()
                .classicExponentialUpperBounds(FIRST_BUCKET, 2, BUCKETS).register(registry);
    }

    @Override
    public void send(Message message) {
        switch (message) {
            case Message.FrameResult frame -> take(frame);
            case Message.Tracked tracked -> events.labelValues(tracked.camera(), MessageJson.kind(tracked.event()),
                    label(tracked.camera(), tracked.event().track().box())).inc();
            case Message.SourceChanged source -> take(source.camera(), source.state());
        }
    }

    private void take(Message.FrameResult frame) {
        String camera = frame.camera();
        frames.labelValues(camera).inc();
        dropped.labelValues(camera).set(frame.dropped());
        tracks.labelValues(camera).set(frame.tracks().size());
        for (Detection detection : frame.detections()) {
            detections.labelValues(camera, label(camera, detection)).inc();
        }
        StageTimes times = frame.detections().times();
        stages.labelValues(camera, "letterbox").observe(times.letterbox() * 1e-9);
        stages.labelValues(camera, "network").observe(times.network() * 1e-9);
        stages.labelValues(camera, "decode").observe(times.decode() * 1e-9);
        ages.labelValues(camera).observe(frame.ageNanos() * 1e-9);
    }

    /** Models with tens of thousands of classes would fill memory. */
    private String label(String camera, Detection detection) {
        String pair = camera + "\n" + detection.label();
        boolean counted = pairs.contains(pair) || pairs.size() < MOST_LABELS;
        if (counted) {
            pairs.add(pair);
        }
        return counted ? wellFormed(detection.label()) : "other";
    }

    /** Half surrogate pairs are no UTF-8. */
    private static String wellFormed(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    }

    private void take(String camera, SourceState state) {
        up.labelValues(camera).set(state.phase() == SourceState.Phase.RUNNING ? 1 : 0);
        for (SourceState.Phase phase : SourceState.Phase.values()) {
            phases.labelValues(camera, phase.name().toLowerCase(Locale.ROOT)).set(phase == state.phase() ? 1 : 0);
        }
        reconnects.labelValues(camera).set(state.reconnects());
    }

    /** All metrics in Prometheus' text format 0.0.4, UTF-8. */
    public String text() {
        for (OutputStatus status : outputs.get()) {
            String name = wellFormed(status.name());
            outputUp.labelValues(name).set(status.working() ? 1 : 0);
            outputSent.labelValues(name).set(status.sent());
            outputWaiting.labelValues(name).set(status.waiting());
            outputDropped.labelValues(name).set(status.dropped());
        }
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        try {
            PrometheusTextFormatWriter.builder().build().write(text, registry.scrape());
        } catch (IOException e) {
            throw new UncheckedIOException("an array cannot fail", e);
        }
        return text.toString(StandardCharsets.UTF_8);
    }

    @Override
    public OutputStatus status() {
        return new OutputStatus("metrics", true, "", 0, 0, 0);
    }

    @Override
    public void close() {
        // There is nothing to end.
    }
}
