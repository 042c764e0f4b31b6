package dev.shrike.app.outputs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class OutputsTest {
    /** One with a defect, whose close never returns. */
    private static final class Broken implements Output {
        @Override
        public void send(Message message) {
            throw new IllegalStateException("a defect");
        }

        @Override
        public OutputStatus status() {
            return new OutputStatus("broken", true, "", 0, 0, 0);
        }

        @Override
        public void close() {
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Test
    void aFailingOutputHarmsNoOther() {
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        Output good = JsonLines.stream("good", stream, Samples.RUN, Selection.ALL, 1 << 20);
        Outputs outputs = new Outputs(List.of(new Broken(), good, new Broken()));
        for (int i = 0; i < 10; i++) {
            outputs.send(Samples.frame("yard", i));
        }
        List<OutputStatus> statuses = outputs.statuses();
        assertFalse(statuses.get(0).working());
        assertTrue(statuses.get(0).reason().contains("a defect"), statuses.get(0).reason());
        assertTrue(statuses.get(1).working());
        outputs.close();
        assertEquals(10, good.status().sent());
        assertEquals(10, stream.toString().lines().count());
    }
}
