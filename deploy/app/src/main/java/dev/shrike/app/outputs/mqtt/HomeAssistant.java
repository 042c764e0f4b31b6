package dev.shrike.app.outputs.mqtt;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.shrike.app.outputs.MessageJson;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * What Home Assistant must know to show cameras and objects by itself (MQTT discovery).
 *
 * @param discovery prefix of the topics that it reads
 * @param topics ours
 * @param version of this program
 */
record HomeAssistant(String discovery, MqttTopics topics, String version) {
    /** Where it tells that it has started. */
    String birthTopic() {
        return discovery + "/status";
    }

    /** Lets it show whether the camera runs, and a switch for detection. */
    void announceCamera(String camera, RetainedTopics retained) {
        announce(retained, "binary_sensor", camera, "running", json -> {
            json.writeStringField("name", camera + " camera");
            json.writeStringField("device_class", "connectivity");
            json.writeStringField("state_topic", topics.state(camera));
            json.writeStringField("value_template", "{{ 'ON' if value_json.phase == 'running' else 'OFF' }}");
        });
        announce(retained, "switch", camera, "detect", json -> {
            json.writeStringField("name", camera + " detection");
            json.writeStringField("state_topic", topics.detectState(camera));
            json.writeStringField("command_topic", topics.detectSet(camera));
        });
    }

    /** Lets it show whether objects with the label are there, and how many. */
    void announceLabel(String camera, String label, RetainedTopics retained) {
        announce(retained, "binary_sensor", camera, label + "_occupancy", json -> {
            json.writeStringField("name", camera + " " + label + " occupancy");
            json.writeStringField("device_class", "occupancy");
            json.writeStringField("state_topic", topics.count(camera, label));
            json.writeStringField("value_template", "{{ 'ON' if value | int(0) > 0 else 'OFF' }}");
        });
        announce(retained, "sensor", camera, label + "_count", json -> {
            json.writeStringField("name", camera + " " + label + " count");
            json.writeStringField("state_topic", topics.count(camera, label));
            json.writeStringField("state_class", "measurement");
        });
    }

    private void announce(RetainedTopics retained, String component, String camera, String entity,
            MessageJson.Fields fields) {
        String node = MqttTopics.id(topics.prefix());
        String object = MqttTopics.id(camera) + "_" + MqttTopics.id(entity);
        String text = MessageJson.object(json -> {
            fields.write(json);
            json.writeStringField("unique_id", node + "_" + object);
            json.writeStringField("availability_topic", topics.available());
            writeDevice(json, node);
        });
        retained.put(discovery + "/" + component + "/" + node + "/" + object + "/config",
                text.getBytes(StandardCharsets.UTF_8));
    }

    private void writeDevice(JsonGenerator json, String node) throws IOException {
        json.writeObjectFieldStart("device");
        json.writeArrayFieldStart("identifiers");
        json.writeString(node);
        json.writeEndArray();
        json.writeStringField("name", "Shrike " + topics.prefix());
        json.writeStringField("manufacturer", "Shrike");
        json.writeStringField("sw_version", version);
        json.writeEndObject();
    }
}
