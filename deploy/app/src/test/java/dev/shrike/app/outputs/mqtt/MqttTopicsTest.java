package dev.shrike.app.outputs.mqtt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.shrike.Detection;
import dev.shrike.app.outputs.Samples;
import dev.shrike.tracking.TrackEvent;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class MqttTopicsTest {
    @Test
    void aNameIsOneLevel() {
        assertEquals("traffic_light", MqttTopics.level("traffic light"));
        assertEquals("a_b_c_d_", MqttTopics.level("a/b+c#d\0"));
        assertEquals("Straßen-Bahn.2", MqttTopics.level("Straßen-Bahn.2"));
        assertEquals("_", MqttTopics.level(""));
        assertEquals(64, MqttTopics.level("x".repeat(1000)).length());
        assertEquals("_", MqttTopics.level("\uD800"));
    }

    @Test
    void noLabelTakesAnotherTopic() {
        for (String reserved : new String[] {"frame", "state", "detect", "snapshot", "all"}) {
            assertEquals(reserved + "_", MqttTopics.label(reserved));
        }
        assertEquals("person", MqttTopics.label("person"));
    }

    @Test
    void namesInOtherScriptsHaveIdsOfTheirOwn() {
        assertNotEquals(MqttTopics.id("狗"), MqttTopics.id("猫"));
        assertEquals("traffic_light", MqttTopics.id("Traffic light"));
        assertTrue(MqttTopics.id("狗").matches("[a-z0-9_-]+"));
    }

    @Test
    void countsObjectsThatChangeTheirClass() {
        ObjectCounts counts = new ObjectCounts();
        Detection car = new Detection(2, "car", 1, 0, 0, 9, 9);
        Detection truck = new Detection(7, "truck", 1, 0, 0, 9, 9);
        assertEquals(Map.of("car", 1, "all", 1),
                counts.take(Samples.event(TrackEvent.Kind.NEW, "yard", 1, 3, car).event()));
        assertEquals(Map.of("car", 2, "all", 2),
                counts.take(Samples.event(TrackEvent.Kind.NEW, "yard", 2, 3, car).event()));
        assertEquals(Map.of(), counts.take(Samples.event(TrackEvent.Kind.UPDATE, "yard", 2, 4, car).event()));
        assertEquals(Map.of("car", 1, "truck", 1, "all", 2),
                counts.take(Samples.event(TrackEvent.Kind.UPDATE, "yard", 2, 5, truck).event()));
        assertEquals(Map.of("car", 1, "all", 1),
                counts.take(Samples.event(TrackEvent.Kind.NEW, "gate", 1, 3, car).event()));
        assertEquals(Map.of("truck", 0, "all", 1),
                counts.take(Samples.event(TrackEvent.Kind.END, "yard", 2, 6, truck).event()));
    }

    @Test
    void boundsLabelsAndTopics() {
        ObjectCounts counts = new ObjectCounts();
        RetainedTopics retained = new RetainedTopics();
        for (int i = 0; i < 1000; i++) {
            Detection one = new Detection(i, "class" + i, 1, 0, 0, 9, 9);
            counts.take(Samples.event(TrackEvent.Kind.NEW, "yard", i, 3, one).event())
                    .forEach((label, count) -> retained.put(label, new byte[] {(byte) (count & 127)}));
        }
        int topics = 0;
        while (retained.take() != null) {
            topics++;
        }
        assertEquals(202, topics);
        for (int i = 0; i < 20_000; i++) {
            retained.put("topic" + i, new byte[1]);
        }
        topics = 0;
        retained.resend();
        while (retained.take() != null) {
            topics++;
        }
        assertEquals(10_000, topics);
    }

    @Test
    void settingsThatCannotBeAreNamed() {
        for (String address : List.of("mqtt://h:99999", "mqtt://h:0")) {
            IllegalArgumentException e =
                    assertThrows(IllegalArgumentException.class, () -> MqttSettings.of(URI.create(address)));
            assertTrue(e.getMessage().contains("1 to 65535"), e.getMessage());
        }
        MqttSettings plain = MqttSettings.of(URI.create("mqtt://h"));
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> plain.withAuthorities(Path.of("ca.pem")));
        assertTrue(e.getMessage().contains("mqtts://"), e.getMessage());
    }
}
