package dev.shrike.app.outputs.mqtt;

import com.hivemq.client.mqtt.MqttClient;
import com.hivemq.client.mqtt.MqttClientSslConfig;
import com.hivemq.client.mqtt.MqttGlobalPublishFilter;
import com.hivemq.client.mqtt.datatypes.MqttQos;
import com.hivemq.client.mqtt.lifecycle.MqttClientDisconnectedContext;
import com.hivemq.client.mqtt.mqtt5.Mqtt5AsyncClient;
import com.hivemq.client.mqtt.mqtt5.Mqtt5ClientBuilder;
import com.hivemq.client.mqtt.mqtt5.exceptions.Mqtt5ConnAckException;
import com.hivemq.client.mqtt.mqtt5.exceptions.Mqtt5PubAckException;
import com.hivemq.client.mqtt.mqtt5.lifecycle.Mqtt5ClientDisconnectedContext;
import com.hivemq.client.mqtt.mqtt5.lifecycle.Mqtt5ClientReconnector;
import com.hivemq.client.mqtt.mqtt5.message.auth.Mqtt5SimpleAuth;
import com.hivemq.client.mqtt.mqtt5.message.publish.Mqtt5Publish;
import com.hivemq.client.mqtt.mqtt5.message.publish.Mqtt5PublishResult;
import com.hivemq.client.mqtt.mqtt5.message.subscribe.Mqtt5RetainHandling;
import com.hivemq.client.mqtt.mqtt5.message.subscribe.Mqtt5Subscribe;
import com.hivemq.client.mqtt.mqtt5.message.subscribe.Mqtt5Subscription;
import dev.shrike.ShrikeException;
import io.reactivex.Scheduler;
import io.reactivex.disposables.Disposable;
import io.reactivex.disposables.Disposables;
import io.reactivex.schedulers.Schedulers;
import java.io.IOException;
import java.io.InputStream;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.TrustManagerFactory;

/**
 * A connection to an MQTT 5 broker that comes back by itself. This class alone sees the client library's types.
 *
 * <p>The library's thread lives as long as anything is asked of it: a connection, messages to take, an acknowledgement
 * that is awaited. So {@link #close} takes all of that back; else a thread stayed for minutes, or for ever where there
 * never was a broker.
 */
final class MqttConnection {
    private static final int KEEP_ALIVE_SECONDS = 20;
    /** The broker keeps what it owes us for so long; the client id is one of this run, so no later run gets it. */
    private static final long SESSION_SECONDS = 300;
    /** Longest command that is read. */
    private static final int MOST_RECEIVED_BYTES = 64 << 10;
    private static final int MOST_RECEIVED_AT_ONCE = 16;
    private static final int CONNECT_SECONDS = 5;
    private static final long FIRST_DELAY_MILLIS = 250;
    private static final long LONGEST_DELAY_MILLIS = 10_000;
    private static final int LONGEST_REASON = 200;

    /** What happens on the connection; called by its own thread, which must not be held up. */
    interface Listener {
        void connected();

        void disconnected(String reason);

        /** A command, which was not retained. */
        void received(String topic, byte[] payload);
    }

    /** What became of a message. */
    enum Outcome {
        SENT,
        /** The broker does not want it: trying again is of no use. */
        REFUSED,
        /** It may have arrived, or not. */
        FAILED
    }

    /** Told what became of a message, and why. */
    interface Completion {
        void complete(Outcome outcome, String reason);
    }

    /** Callbacks come on the connection's thread. The library would take a further one for each core. */
    private static final Scheduler SAME_THREAD = Schedulers.from(Runnable::run);

    private final Mqtt5AsyncClient client;
    private final Listener listener;
    private final List<String> subscriptions;
    private final Disposable receiving;
    private final CompletableFuture<?> connecting;
    private final Set<CompletableFuture<?>> underWay = ConcurrentHashMap.newKeySet();
    /** Done when the next attempt is due. */
    private volatile CompletableFuture<Void> pause = CompletableFuture.completedFuture(null);
    private volatile Disposable subscribing = Disposables.disposed();
    private volatile boolean subscribed;
    private volatile boolean closing;
    private int attempts;

    /** Begins to connect. */
    MqttConnection(MqttSettings settings, String clientId, String willTopic, byte[] will, List<String> subscriptions,
            Listener listener) {
        this.listener = listener;
        this.subscriptions = List.copyOf(subscriptions);
        Mqtt5ClientBuilder builder = MqttClient.builder().useMqttVersion5().identifier(clientId)
                .serverHost(settings.broker().getHost()).serverPort(settings.port())
                .executorConfig().nettyExecutor(task -> Thread.ofPlatform().daemon().name("shrike mqtt").start(task))
                .nettyThreads(1).applicationScheduler(SAME_THREAD).applyExecutorConfig()
                .addConnectedListener(context -> connected()).addDisconnectedListener(this::disconnected);
        if (settings.isEncrypted()) {
            builder = builder.sslConfig(encryption(settings.authorities()));
        }
        builder = builder.transportConfig(builder.build().getConfig().getTransportConfig().extend()
                .socketConnectTimeout(CONNECT_SECONDS, TimeUnit.SECONDS)
                .mqttConnectTimeout(CONNECT_SECONDS, TimeUnit.SECONDS).build());
        if (!settings.user().isEmpty()) {
            builder = builder.simpleAuth(Mqtt5SimpleAuth.builder().username(settings.user())
                    .password(settings.password().getBytes(StandardCharsets.UTF_8)).build());
        }
        client = builder.buildAsync();
        receiving = client.toRx().publishes(MqttGlobalPublishFilter.ALL).subscribe(this::receive, failure -> {});
        connecting = client.connectWith().cleanStart(false).sessionExpiryInterval(SESSION_SECONDS)
                .keepAlive(KEEP_ALIVE_SECONDS)
                .restrictions().receiveMaximum(MOST_RECEIVED_AT_ONCE).maximumPacketSize(MOST_RECEIVED_BYTES)
                .applyRestrictions()
                .willPublish().topic(willTopic).payload(will).qos(MqttQos.AT_LEAST_ONCE).retain(true)
                .applyWillPublish().send();
    }

    private void receive(Mqtt5Publish publish) {
        // What was retained is old, and somebody forgot it: nobody asks for it now.
        if (!publish.isRetain()) {
            listener.received(publish.getTopic().toString(), publish.getPayloadAsBytes());
        }
    }

    private static MqttClientSslConfig encryption(Path authorities) {
        if (authorities == null) {
            return MqttClientSslConfig.builder().build();
        }
        try (InputStream in = Files.newInputStream(authorities)) {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            int count = 0;
            for (Certificate certificate : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                store.setCertificateEntry("authority" + count++, certificate);
            }
            if (count == 0) {
                throw new ShrikeException("there is no certificate in " + authorities
                        + ": a PEM file with those that sign the broker's is wanted");
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            return MqttClientSslConfig.builder().trustManagerFactory(trust).build();
        } catch (NoSuchFileException e) {
            throw new ShrikeException("cannot read certificates from " + authorities + ": no such file", e);
        } catch (IOException | GeneralSecurityException e) {
            throw new ShrikeException("cannot read certificates from " + authorities + ": " + e.getMessage(), e);
        }
    }

    private void connected() {
        attempts = 0;
        if (closing) {
            disconnect();
            return;
        }
        subscribe();
        listener.connected();
    }

    /**
     * Subscribes, once: the library does so again where a broker forgot the session. What is asked for anew with each
     * connection it would keep each time, and send all of it to a broker that forgot. What was refused is asked again.
     */
    private void subscribe() {
        if (subscriptions.isEmpty() || subscribed) {
            return;
        }
        subscribed = true;
        List<Mqtt5Subscription> wanted = subscriptions.stream()
                .map(topic -> Mqtt5Subscription.builder().topicFilter(topic).qos(MqttQos.AT_LEAST_ONCE).noLocal(true)
                        .retainHandling(Mqtt5RetainHandling.DO_NOT_SEND).build())
                .toList();
        subscribing = client.toRx().subscribe(Mqtt5Subscribe.builder().addSubscriptions(wanted).build())
                .subscribe(acknowledged -> {}, failure -> subscribed = false);
    }

    private void disconnected(MqttClientDisconnectedContext context) {
        long delay = Math.min(LONGEST_DELAY_MILLIS, FIRST_DELAY_MILLIS << Math.min(10, attempts));
        attempts = context.getCause() instanceof Mqtt5ConnAckException ? attempts + 2 : attempts + 1;
        // Many boxes that lost the same broker shall not come back in the same instant.
        long jittered = delay / 2 + ThreadLocalRandom.current().nextLong(delay / 2 + 1);
        CompletableFuture<Void> due = new CompletableFuture<>();
        pause = due;
        Mqtt5ClientReconnector reconnector = ((Mqtt5ClientDisconnectedContext) context).getReconnector();
        reconnector.republishIfSessionExpired(true).resubscribeIfSessionExpired(true).delay(0, TimeUnit.MILLISECONDS)
                .reconnectWhen(due, (nothing, failure) -> reconnector.reconnect(!closing));
        if (closing) {
            due.complete(null);
        } else {
            completeLater(due, jittered);
        }
        listener.disconnected(reason(context.getCause()));
    }

    /** A virtual thread: the JDK's own timer of futures is one more thread of the system. */
    private static void completeLater(CompletableFuture<Void> due, long millis) {
        Thread.ofVirtual().name("shrike mqtt pause").start(() -> {
            try {
                due.get(millis, TimeUnit.MILLISECONDS);
            } catch (TimeoutException | InterruptedException | ExecutionException e) {
                due.complete(null);
            }
        });
    }

    /** What went wrong, without what the client sent. */
    static String reason(Throwable failure) {
        if (failure instanceof Mqtt5ConnAckException refused) {
            return "the broker refuses the connection: " + refused.getMqttMessage().getReasonCode()
                    + " (user, password or client id)";
        }
        Throwable cause = failure;
        while (cause.getCause() != null && cause.getCause() != cause) {
            cause = cause.getCause();
        }
        if (cause instanceof UnknownHostException) {
            return "there is no host " + cause.getMessage();
        }
        String message = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        String brief = message.length() > LONGEST_REASON ? message.substring(0, LONGEST_REASON) : message;
        return brief.replaceAll("\\p{Cntrl}", " ");
    }

    /** Publishes; the completion is called by the connection's thread, or by this one before the method returns. */
    void publish(String topic, byte[] payload, boolean atLeastOnce, boolean retain, Completion completion) {
        CompletableFuture<Mqtt5PublishResult> result;
        try {
            result = client.publishWith().topic(topic).payload(payload)
                    .qos(atLeastOnce ? MqttQos.AT_LEAST_ONCE : MqttQos.AT_MOST_ONCE).retain(retain).send();
        } catch (RuntimeException e) {
            completion.complete(Outcome.REFUSED, reason(e));
            return;
        }
        underWay.add(result);
        result.whenComplete((sent, thrown) -> {
            underWay.remove(result);
            Throwable failure = thrown != null ? thrown : sent.getError().orElse(null);
            if (failure == null) {
                completion.complete(Outcome.SENT, "");
            } else if (failure instanceof Mqtt5PubAckException refused) {
                completion.complete(Outcome.REFUSED,
                        "the broker refuses " + topic + ": " + refused.getMqttMessage().getReasonCode());
            } else {
                completion.complete(Outcome.FAILED, reason(failure));
            }
        });
    }

    /**
     * Ends the connection, and any try to get one; what is under way fails. The broker forgets the session: commands
     * are for a service that runs.
     */
    CompletableFuture<Void> close() {
        closing = true;
        CompletableFuture<Void> gone = disconnect();
        receiving.dispose();
        subscribing.dispose();
        underWay.forEach(result -> result.cancel(true));
        connecting.cancel(true);
        pause.complete(null);
        return gone;
    }

    private CompletableFuture<Void> disconnect() {
        return client.disconnectWith().sessionExpiryInterval(0).send();
    }
}
