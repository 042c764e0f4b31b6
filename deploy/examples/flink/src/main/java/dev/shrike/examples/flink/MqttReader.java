package dev.shrike.examples.flink;

import com.hivemq.client.mqtt.MqttGlobalPublishFilter;
import com.hivemq.client.mqtt.datatypes.MqttQos;
import com.hivemq.client.mqtt.lifecycle.MqttClientDisconnectedContext;
import com.hivemq.client.mqtt.mqtt5.Mqtt5AsyncClient;
import com.hivemq.client.mqtt.mqtt5.Mqtt5Client;
import com.hivemq.client.mqtt.mqtt5.message.publish.Mqtt5Publish;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.core.io.InputStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One reader of {@link MqttSource}. Flink calls it from one thread; the client calls {@link #arrived} from another.
 * What waits here is bounded: the broker sends no more than {@link #UNACKNOWLEDGED} messages that it has no
 * acknowledgement for, so that is also the most between two checkpoints.
 */
final class MqttReader implements SourceReader<MqttEvent, MqttSource.NoSplit> {
    private static final Logger LOG = LoggerFactory.getLogger(MqttReader.class);
    /** The protocol has no more. */
    private static final int UNACKNOWLEDGED = 65_535;
    private static final long SESSION_SECONDS = Duration.ofDays(1).toSeconds();

    private final MqttSource source;
    private final Mqtt5AsyncClient client;
    private final Queue<Mqtt5Publish> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicReference<CompletableFuture<Void>> available = new AtomicReference<>(new CompletableFuture<>());
    private final SortedMap<Long, List<Mqtt5Publish>> ofCheckpoint = new TreeMap<>();
    private List<Mqtt5Publish> sinceCheckpoint = new ArrayList<>();

    MqttReader(MqttSource source, int subtask) {
        this.source = source;
        client = Mqtt5Client.builder().identifier(source.group() + "-" + subtask).serverHost(source.host())
                .serverPort(source.port()).automaticReconnectWithDefaultConfig()
                .addDisconnectedListener(MqttReader::keepOn).buildAsync();
    }

    /** A broker that forgot the session, or an attempt that met none, is no end. */
    private static void keepOn(MqttClientDisconnectedContext context) {
        context.getReconnector().resubscribeIfSessionExpired(true).republishIfSessionExpired(true);
    }

    @Override
    public void start() {
        client.publishes(MqttGlobalPublishFilter.ALL, this::arrived, true);
        client.connectWith().cleanStart(false).sessionExpiryInterval(SESSION_SECONDS).restrictions()
                .receiveMaximum(UNACKNOWLEDGED).applyRestrictions().send()
                .thenCompose(connected -> client.subscribeWith()
                        .topicFilter("$share/" + source.group() + "/" + source.filter()).qos(MqttQos.AT_LEAST_ONCE)
                        .send())
                .whenComplete((subscribed, failure) -> {
                    if (failure == null) {
                        LOG.info("subscribed to {}", source.filter());
                    } else {
                        available.get().completeExceptionally(failure);
                    }
                });
    }

    private void arrived(Mqtt5Publish message) {
        waiting.add(message);
        available.get().complete(null);
    }

    @Override
    public InputStatus pollNext(ReaderOutput<MqttEvent> output) {
        Mqtt5Publish message = waiting.poll();
        if (message == null) {
            return InputStatus.NOTHING_AVAILABLE;
        }
        String payload = new String(message.getPayloadAsBytes(), StandardCharsets.UTF_8);
        output.collect(new MqttEvent(message.getTopic().toString(), payload));
        sinceCheckpoint.add(message);
        return waiting.isEmpty() ? InputStatus.NOTHING_AVAILABLE : InputStatus.MORE_AVAILABLE;
    }

    @Override
    public CompletableFuture<Void> isAvailable() {
        CompletableFuture<Void> now = available.get();
        if (now.isDone() && !now.isCompletedExceptionally()) {
            available.compareAndSet(now, new CompletableFuture<>());
            // What came in between has completed the old one.
            if (!waiting.isEmpty()) {
                return CompletableFuture.completedFuture(null);
            }
        }
        return available.get();
    }

    @Override
    public List<MqttSource.NoSplit> snapshotState(long checkpoint) {
        ofCheckpoint.put(checkpoint, sinceCheckpoint);
        sinceCheckpoint = new ArrayList<>();
        return List.of();
    }

    /** A checkpoint that failed is part of the next one that is complete. */
    @Override
    public void notifyCheckpointComplete(long checkpoint) {
        Map<Long, List<Mqtt5Publish>> complete = ofCheckpoint.headMap(checkpoint + 1);
        complete.values().forEach(messages -> messages.forEach(Mqtt5Publish::acknowledge));
        complete.clear();
    }

    @Override
    public void addSplits(List<MqttSource.NoSplit> splits) {
    }

    @Override
    public void notifyNoMoreSplits() {
    }

    /** Leaves the session at the broker, which keeps what comes until the next reader takes it over. */
    @Override
    public void close() throws Exception {
        client.disconnect().handle((done, failure) -> null).get(5, TimeUnit.SECONDS);
    }
}
