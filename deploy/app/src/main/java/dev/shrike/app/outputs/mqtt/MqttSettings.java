package dev.shrike.app.outputs.mqtt;

import java.net.URI;
import java.nio.file.Path;
import java.util.Objects;

/**
 * How to reach an MQTT 5 broker, and what to tell it.
 *
 * @param broker {@code mqtt://host:port} or, with TLS, {@code mqtts://host:port}; the ports are 1883 and 8883 unless
 *     given
 * @param user empty for none
 * @param password empty for none; never printed
 * @param authorities PEM file of the certificates to trust; null for those of Java
 * @param clientId empty for one of its own each time
 * @param prefix first level or levels of all topics
 * @param discovery prefix of Home Assistant's discovery, usually {@code homeassistant}; empty for none
 * @param frames whether to publish what was seen in each frame, besides events
 * @param outboxBytes bytes of events that may wait while the broker is away; the oldest fall out
 */
public record MqttSettings(URI broker, String user, String password, Path authorities, String clientId, String prefix,
        String discovery, boolean frames, long outboxBytes) {
    /** Room for about 20,000 events. */
    public static final long DEFAULT_OUTBOX = 16L << 20;
    private static final int MOST_CHARACTERS = 200;

    /** @throws IllegalArgumentException if the address is none of a broker or a topic cannot be */
    public MqttSettings {
        Objects.requireNonNull(broker, "broker");
        Objects.requireNonNull(user, "user");
        Objects.requireNonNull(password, "password");
        if (broker.getRawUserInfo() != null
                || broker.getRawAuthority() != null && broker.getRawAuthority().contains("@")) {
            throw new IllegalArgumentException(
                    "the address of the broker holds a user or password: give them as settings of their own");
        }
        if (!"mqtt".equals(broker.getScheme()) && !"mqtts".equals(broker.getScheme()) || broker.getHost() == null) {
            throw new IllegalArgumentException(
                    "the address of a broker is mqtt://host:port or mqtts://host:port, not " + broker);
        }
        if (user.isEmpty() && !password.isEmpty()) {
            throw new IllegalArgumentException("a password for the broker without a user");
        }
        if (authorities != null && !"mqtts".equals(broker.getScheme())) {
            throw new IllegalArgumentException("certificates to trust are for mqtts://, and the broker is " + broker);
        }
        if (broker.getPort() == 0 || broker.getPort() > 65535) {
            throw new IllegalArgumentException("the port of the broker is 1 to 65535, not " + broker.getPort());
        }
        requireTopic("prefix", prefix, 1);
        requireTopic("discovery", discovery, 0);
        if (Objects.requireNonNull(clientId, "clientId").length() > MOST_CHARACTERS) {
            throw new IllegalArgumentException("the client id has more than " + MOST_CHARACTERS + " characters");
        }
        if (outboxBytes < 4096) {
            throw new IllegalArgumentException("an outbox of " + outboxBytes + " bytes is too small: at least 4096");
        }
    }

    private static void requireTopic(String name, String topic, int least) {
        Objects.requireNonNull(topic, name);
        boolean sound = topic.length() >= least && topic.length() <= MOST_CHARACTERS && !topic.startsWith("$")
                && !topic.startsWith("/") && !topic.endsWith("/")
                && topic.chars().noneMatch(c -> c == '+' || c == '#' || Character.isISOControl(c));
        if (!sound) {
            throw new IllegalArgumentException("the " + name + " of the topics has 1 to " + MOST_CHARACTERS
                    + " characters, none of them + or #, and no slash or $ at its ends");
        }
    }

    /** Settings of a broker without user, with the usual topics and room for about 20,000 events. */
    public static MqttSettings of(URI broker) {
        return new MqttSettings(broker, "", "", null, "", "shrike", "homeassistant", false, DEFAULT_OUTBOX);
    }

    /** The same with user and password. */
    public MqttSettings withUser(String name, String secret) {
        return new MqttSettings(broker, name, secret, authorities, clientId, prefix, discovery, frames, outboxBytes);
    }

    /** The same with the certificates to trust. */
    public MqttSettings withAuthorities(Path file) {
        return new MqttSettings(broker, user, password, file, clientId, prefix, discovery, frames, outboxBytes);
    }

    /** The same with other topics. */
    public MqttSettings withTopics(String all, String homeAssistant) {
        return new MqttSettings(broker, user, password, authorities, clientId, all, homeAssistant, frames, outboxBytes);
    }

    /** The same with or without frames. */
    public MqttSettings withFrames(boolean all) {
        return new MqttSettings(broker, user, password, authorities, clientId, prefix, discovery, all, outboxBytes);
    }

    /** The same with other room for events. */
    public MqttSettings withOutboxBytes(long bytes) {
        return new MqttSettings(broker, user, password, authorities, clientId, prefix, discovery, frames, bytes);
    }

    boolean isEncrypted() {
        return "mqtts".equals(broker.getScheme());
    }

    int port() {
        return broker.getPort() >= 0 ? broker.getPort() : isEncrypted() ? 8883 : 1883;
    }

    /** The broker's address. */
    String name() {
        return "mqtt " + broker.getScheme() + "://" + broker.getHost() + ":" + port();
    }

    /** Without user and password. */
    @Override
    public String toString() {
        return name() + ", topics below " + prefix;
    }
}
