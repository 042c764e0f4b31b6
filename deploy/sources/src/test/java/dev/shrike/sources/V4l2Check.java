package dev.shrike.sources;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.SourceException;
import dev.shrike.sources.SourceState.Phase;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What {@code tools/v4l2-check.sh} runs beside a kernel with two cameras of the driver vivid. */
final class V4l2Check {
    private static final Path DRIVER = Path.of("/sys/bus/platform/drivers/vivid");

    private static int failures;

    private V4l2Check() {}

    private static void check(String what, boolean holds) {
        System.out.println((holds ? "ok      " : "FAILED  ") + what);
        failures += holds ? 0 : 1;
    }

    public static void main(String[] args) throws Exception {
        for (PixelFormat format : PixelFormat.values()) {
            frames(format);
        }
        sizes();
        names();
        garbage();
        busy();
        unplugged();
        System.out.println(failures + " failures");
        System.exit(failures == 0 ? 0 : 1);
    }

    private static void frames(PixelFormat format) throws InterruptedException {
        SourceOptions options = SourceOptions.builder().format(format).size(640, 360).build();
        try (FrameSource source = Sources.open("/dev/video0", options)) {
            long last = 0;
            long sequence = -1;
            boolean ordered = true;
            long oldest = 0;
            for (int i = 0; i < 10; i++) {
                Frame frame = source.next().orElseThrow();
                long now = System.nanoTime();
                ordered &= frame.capturedNanos() > last && frame.sequence() > sequence && frame.capturedNanos() <= now;
                oldest = Math.max(oldest, now - frame.capturedNanos());
                last = frame.capturedNanos();
                sequence = frame.sequence();
            }
            check(format + ": 10 frames, time stamps of the kernel's monotonic clock in order, oldest "
                    + oldest / 1_000_000 + " ms", ordered);
        } catch (SourceException e) {
            // vivid has no NV12 in one plane and no JPEG: refused with what there is.
            check(format + ": " + e.getMessage(), e.getMessage().contains("has no " + format + " but "));
        }
    }

    private static void sizes() throws InterruptedException {
        SourceOptions odd = SourceOptions.builder().size(123, 45).build();
        try (FrameSource source = Sources.open("/dev/video0", odd)) {
            Optional<Frame> frame = source.next();
            check("a size that it has not: " + frame, false);
        } catch (SourceException e) {
            check("a size that it has not: " + e.getMessage(), e.getMessage().contains("640x360"));
        }
    }

    private static void names() throws InterruptedException {
        for (String uri : new String[] {"1", "v4l2:by-path/platform-vivid.1-video-index0"}) {
            try (FrameSource source = Sources.open(uri)) {
                check(uri + ": " + source.name(), source.next().isPresent());
            }
        }
    }

    private static void garbage() throws InterruptedException {
        SourceOptions options = SourceOptions.builder().format(PixelFormat.YUYV).size(320, 180).build();
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (FrameSource source = Sources.open("/dev/video0", options)) {
            for (int i = 0; i < 60; i++) {
                source.next().orElseThrow();
            }
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 20; i++) {
                source.next().orElseThrow();
            }
            long bytes = threads.getCurrentThreadAllocatedBytes() - before;
            check(bytes / 20 + " bytes allocated a YUYV frame, compiled by C1 at most", bytes / 20 == 0);
        }
    }

    private static void busy() throws InterruptedException {
        try (FrameSource first = Sources.open("/dev/video0"); FrameSource second = Sources.open("/dev/video0")) {
            first.next().orElseThrow();
            Thread reader = Thread.ofVirtual().start(() -> {
                try {
                    second.next();
                } catch (InterruptedException e) {
                    // The check is over.
                }
            });
            Thread.sleep(1_000);
            SourceState state = second.state();
            check("used twice: " + state, state.phase() == Phase.CONNECTING
                    && state.reason().contains("in use by another program"));
            second.close();
            reader.join();
        }
    }

    private static void unplugged() throws Exception {
        try (FrameSource source = Sources.open("v4l2:by-path/platform-vivid.1-video-index0")) {
            Frame kept = source.next().orElseThrow();
            check("a frame is retained", source.retain(kept));
            Thread reader = Thread.ofPlatform().start(() -> {
                try {
                    for (Optional<Frame> next = source.next(); next.isPresent(); next = source.next()) {
                        // on it goes
                    }
                } catch (InterruptedException e) {
                    // The check is over.
                }
            });
            Thread.sleep(1_000);
            long unplugged = System.nanoTime();
            Files.writeString(DRIVER.resolve("unbind"), "vivid.0");
            check("unplugged: lost after " + millisUntil(source, Phase.LOST, unplugged) + " ms: " + source.state(),
                    source.state().phase() == Phase.LOST);
            // The memory of a retained frame is still there.
            check("the retained frame can be read: " + kept.pixels().get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0),
                    true);
            source.release(kept);
            Thread.sleep(3_000);
            long plugged = System.nanoTime();
            Files.writeString(DRIVER.resolve("bind"), "vivid.0");
            check("plugged: runs after " + millisUntil(source, Phase.RUNNING, plugged) + " ms: " + source.state(),
                    source.state().phase() == Phase.RUNNING && source.state().reconnects() == 1);
            source.close();
            reader.join();
        }
    }

    private static long millisUntil(FrameSource source, Phase phase, long since) throws InterruptedException {
        while (source.state().phase() != phase && System.nanoTime() - since < 20_000_000_000L) {
            Thread.sleep(10);
        }
        return (System.nanoTime() - since) / 1_000_000;
    }
}
