package dev.shrike;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DetectionBufferTest {
    @Test
    void keepsWhatDetectionsHold() {
        Frame frame = Frame.allocate(PixelFormat.NV12, 40, 30, "front");
        frame.stamp(123_456_789, Instant.ofEpochSecond(-7, 5_000), true, 41);
        List<Detection> list = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            list.add(new Detection(i % 3, i % 3 == 2 ? "class2" : "name" + i % 3, 1 - i / 300f, i, 2 * i, i + 5, 3 * i));
        }
        Detections found = new Detections(frame, new StageTimes(1, 2, 3), list);
        DetectionBuffer buffer = new DetectionBuffer();
        buffer.set(found, List.of("name0", "name1"));
        assertEquals(200, buffer.size());
        assertEquals(found, buffer.toDetections());
        assertEquals(list.get(199), buffer.detection(199));
        assertEquals("name1", buffer.label(1));
        buffer.begin(Frame.allocate(3, 2), List.of());
        assertEquals(0, buffer.size());
        assertEquals(3, buffer.width());
        assertThrows(IndexOutOfBoundsException.class, () -> buffer.score(0));
        assertThrows(IndexOutOfBoundsException.class, () -> buffer.detection(-1));
        buffer.add(7, 0.5f, 1, 2, 3, 4);
        assertEquals("class7", buffer.label(0));
    }

    @Test
    void refusesWhatIsNoDetection() {
        DetectionBuffer buffer = new DetectionBuffer();
        assertThrows(IllegalArgumentException.class, () -> buffer.add(-1, 0.5f, 0, 0, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> buffer.add(0, Float.NaN, 0, 0, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> buffer.add(0, 1.5f, 0, 0, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> buffer.add(0, 0.5f, 2, 0, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> buffer.add(0, 0.5f, 0, Float.NaN, 1, 1));
        assertEquals(0, buffer.size());
    }

    /** Against a sort and a search of objects, with many equal scores. */
    @Test
    void suppressesLikeAListOfObjects() {
        Random random = new Random(9);
        DetectionBuffer buffer = new DetectionBuffer();
        for (int round = 0; round < 200; round++) {
            int count = round == 0 ? 64 : random.nextInt(200);
            boolean agnostic = random.nextBoolean();
            int most = 1 + random.nextInt(40);
            buffer.begin(Frame.allocate(200, 200), List.of());
            List<Detection> list = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                float x = random.nextInt(150);
                float y = random.nextInt(150);
                int id = random.nextInt(3);
                Detection one = new Detection(id, "class" + id, random.nextInt(20) / 20f, x, y, x + random.nextInt(60),
                        y + random.nextInt(60));
                list.add(one);
                buffer.add(id, one.score(), one.x1(), one.y1(), one.x2(), one.y2());
            }
            list.sort(Comparator.comparingDouble(d -> -d.score()));
            List<Detection> kept = new ArrayList<>();
            for (Detection one : list) {
                boolean beaten = kept.stream().anyMatch(
                        k -> (agnostic || k.classId() == one.classId()) && k.iou(one) > 0.3f);
                if (!beaten && kept.size() < most) {
                    kept.add(one);
                }
            }
            buffer.suppress(0.3f, agnostic, most);
            assertEquals(kept, buffer.toDetections().list(), "round " + round);
        }
    }

    @Test
    void overlapsAreThoseOfGeometry() {
        Detection box = new Detection(0, "a", 1, 10, 20, 30, 60);
        assertEquals(20, box.centerX());
        assertEquals(40, box.centerY());
        assertEquals(1, box.iou(box));
        Detection right = new Detection(1, "b", 1, 20, 20, 40, 60);
        assertEquals(400f / 1200, box.iou(right), 1e-6f);
        assertEquals(box.iou(right), right.iou(box));
        assertEquals(0, box.iou(new Detection(0, "a", 1, 30, 20, 40, 60)), "they touch");
        Detection empty = new Detection(0, "a", 1, 15, 25, 15, 25);
        assertEquals(0, box.iou(empty));
        assertEquals(0, empty.iou(empty));
    }

    @Test
    void optionsForOneFrameAreChecked() {
        assertThrows(IllegalArgumentException.class, () -> DetectOptions.DEFAULT.withThresholds(-0.1f, 0.5f));
        assertThrows(IllegalArgumentException.class, () -> DetectOptions.DEFAULT.withThresholds(0.1f, 1.5f));
        assertThrows(IllegalArgumentException.class, () -> DetectOptions.DEFAULT.withMaxDetections(-1));
        assertThrows(IllegalArgumentException.class, () -> new Region(-1, 0, 5, 5));
        assertThrows(IllegalArgumentException.class, () -> new Region(0, 0, 0, 5));
        assertThrows(IllegalArgumentException.class, () -> new Region(Integer.MAX_VALUE, 0, 5, 5));
        assertTrue(Float.isNaN(DetectOptions.DEFAULT.withMaxDetections(5).confidence()));
    }

    @Test
    void theBuilderGivesWhatTheMethodsGive() {
        DetectorOptions built = DetectorOptions.builder().inputSize(320, 256).confidence(0.3f).iou(0.6f)
                .maxDetections(7).classes(java.util.Set.of(2)).agnostic(true).multiLabel(true).threads(3).engine("cpu")
                .build();
        assertEquals(DetectorOptions.DEFAULT.withInputSize(320, 256).withThresholds(0.3f, 0.6f).withMaxDetections(7)
                .withClasses(java.util.Set.of(2)).withAgnostic(true).withMultiLabel(true).withThreads(3)
                .withEngine("cpu"), built);
        assertEquals(built, built.toBuilder().build());
        assertThrows(IllegalArgumentException.class, () -> DetectorOptions.builder().confidence(2).build());
    }
}
