package dev.shrike.examples.flink;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A message of a box. Public, with setters, as Flink's serializer of plain objects wants it.
 */
public final class MqttEvent {
    private String topic = "";
    private String payload = "";

    /** For the serializer. */
    public MqttEvent() {
    }

    /** The message on the topic. */
    public MqttEvent(String topic, String payload) {
        this.topic = topic;
        this.payload = payload;
    }

    /** Where it was published. */
    public String getTopic() {
        return topic;
    }

    /** For the serializer. */
    public void setTopic(String topic) {
        this.topic = topic;
    }

    /** Its text, a JSON object. */
    public String getPayload() {
        return payload;
    }

    /** For the serializer. */
    public void setPayload(String payload) {
        this.payload = payload;
    }

    /** What two deliveries of one message share, and no two messages do, since each event has an id in its text. */
    public String identity() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of().formatHex(digest.digest((topic + '\n' + payload).getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
