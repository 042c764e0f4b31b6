package dev.shrike.app.outputs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class OutboxTest {
    private static byte[] entry(int number) {
        byte[] entry = new byte[36];
        entry[0] = (byte) number;
        return entry;
    }

    @Test
    void letsTheOldestFallOutAndCountsThem() throws InterruptedException {
        Outbox outbox = new Outbox(1000);
        for (int i = 0; i < 25; i++) {
            outbox.add(entry(i));
        }
        assertEquals(10, outbox.waiting());
        assertEquals(15, outbox.dropped());
        for (int i = 15; i < 25; i++) {
            assertEquals(i, outbox.take(0)[0]);
        }
        assertNull(outbox.take(1));
        outbox.add(new byte[937]);
        assertEquals(16, outbox.dropped(), "one that is larger than the bound");
        outbox.add(new byte[936]);
        assertEquals(1, outbox.waiting());
    }

    @Test
    void takesBackWhatWasNotSentIfThereIsRoom() throws InterruptedException {
        Outbox outbox = new Outbox(300);
        outbox.add(entry(1));
        outbox.add(entry(2));
        outbox.add(entry(3));
        byte[] first = outbox.take(0);
        outbox.putBack(first);
        assertEquals(1, outbox.take(0)[0]);
        outbox.add(entry(4));
        outbox.putBack(first);
        assertEquals(1, outbox.dropped());
        assertEquals(2, outbox.take(0)[0]);
    }

    @Test
    void whatWaitsCanBeTakenAfterItsEnd() throws InterruptedException {
        Outbox outbox = new Outbox(1000);
        outbox.add(entry(1));
        outbox.close();
        outbox.add(entry(2));
        assertEquals(1, outbox.take(Long.MAX_VALUE)[0]);
        assertNull(outbox.take(Long.MAX_VALUE));
        assertEquals(1, outbox.dropped());
        assertThrows(IllegalArgumentException.class, () -> new Outbox(10));
    }

    @Test
    void losesAndDoublesNothingAmongThreads() throws InterruptedException {
        Outbox outbox = new Outbox(5000);
        AtomicLong taken = new AtomicLong();
        Thread taker = Thread.ofVirtual().start(() -> {
            try {
                while (outbox.take(Long.MAX_VALUE) != null) {
                    taken.incrementAndGet();
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        Thread[] adders = new Thread[4];
        for (int i = 0; i < adders.length; i++) {
            adders[i] = Thread.ofPlatform().start(() -> {
                for (int j = 0; j < 20_000; j++) {
                    outbox.add(entry(j));
                }
            });
        }
        for (Thread adder : adders) {
            adder.join();
        }
        outbox.close();
        taker.join();
        assertTrue(taken.get() > 0);
        assertEquals(80_000, taken.get() + outbox.dropped());
    }
}
