package dev.shrike.calibration.activations;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicInteger;
import javax.management.Notification;
import javax.management.NotificationEmitter;
import javax.management.NotificationListener;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

@Isolated
class HeapGarbageTest {
    private static final int LARGE = 300 << 20;

    @Test
    void nothingIsCollectedUnlessTheProgramSaysHow() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        NotificationListener listener = (Notification notification, Object _) -> {
            if (String.valueOf(notification.getUserData()).contains("System.gc()")) {
                asked.incrementAndGet();
            }
        };
        for (GarbageCollectorMXBean bean : ManagementFactory.getGarbageCollectorMXBeans()) {
            ((NotificationEmitter) bean).addNotificationListener(listener, null, null);
        }
        try {
            HeapGarbage garbage = new HeapGarbage();
            byte[] large = new byte[LARGE];
            garbage.check();
            Thread.sleep(200);
            assertEquals(0, asked.get());
            assertTrue(large.length > 0);
        } finally {
            for (GarbageCollectorMXBean bean : ManagementFactory.getGarbageCollectorMXBeans()) {
                ((NotificationEmitter) bean).removeNotificationListener(listener);
            }
        }
    }

    @Test
    void theProgramIsAskedWhenTheHeapGrew() {
        AtomicInteger collections = new AtomicInteger();
        HeapGarbage.collectBy(collections::incrementAndGet);
        // Else garbage of other tests, collected in between, would hide what grows here.
        System.gc();
        try {
            HeapGarbage garbage = new HeapGarbage();
            garbage.check();
            assertEquals(0, collections.get());
            byte[] large = new byte[LARGE];
            garbage.check();
            assertEquals(1, collections.get());
            garbage.check();
            assertEquals(1, collections.get(), "what lives is no garbage");
            assertTrue(large.length > 0);
        } finally {
            HeapGarbage.collectBy(null);
        }
    }
}
