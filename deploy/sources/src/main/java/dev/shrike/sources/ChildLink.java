package dev.shrike.sources;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A camera whose frames a child process writes to a pipe, one I420 frame after another. It is asked to end by SIGINT,
 * then SIGTERM, which let it give the camera back, and killed only if it does not.
 */
final class ChildLink implements Link {
    private static final int SIGINT = 2;
    private static final long END_SECONDS = 3;
    private static final long TERM_SECONDS = 1;
    private static final long LOOK_MILLIS = 2;
    private static final int MOST_LINES = 30;

    private final CsiCamera camera;
    private final SourceOptions options;
    private final FramePools pools;
    private final byte[] bytes;
    private long number;

    ChildLink(CsiCamera camera, SourceOptions options) {
        this.camera = camera;
        this.options = options;
        pools = new FramePools(options.camera());
        bytes = new byte[(int) Frame.allocate(PixelFormat.I420, camera.width(), camera.height(), "").pixels()
                .byteSize()];
    }

    @Override
    public Connection connect() throws LostException {
        try {
            return new Child(new ProcessBuilder(camera.command()).redirectInput(ProcessBuilder.Redirect.PIPE).start());
        } catch (IOException e) {
            throw new LostException("cannot start " + camera.program() + ": " + e.getMessage());
        }
    }

    @Override
    public Presence presence() {
        return Presence.UNKNOWN;
    }

    @Override
    public void stop() {
        // Starting does not wait.
    }

    @Override
    public void free() {
        // A connection frees its own.
    }

    /** What the last words of a program mean. */
    static String meaning(String words) {
        if (words.matches("(?is).*(argus.*(timeout|connect|refused|createcapturesession|invalid camera)"
                + "|failed to create capturesession|no cameras available.*argus).*")) {
            return "NVIDIA's camera service does not answer or has no such camera; if the camera was there before, the"
                    + " service is stuck: sudo systemctl restart nvargus-daemon";
        }
        if (words.matches("(?is).*(no cameras available|camera number .* does not exist).*")) {
            return "there is no camera; see to its cable and to 'rpicam-hello --list-cameras'";
        }
        if (words.matches("(?is).*(device or resource busy|pipeline handler in use).*")) {
            return "it is in use by another program";
        }
        String last = words.strip();
        return last.isEmpty() ? "" : "it said: " + last.substring(last.lastIndexOf('\n') + 1);
    }

    /** A running child. */
    private final class Child implements Connection {
        private final Process process;
        private final InputStream pipe;
        private final ArrayDeque<String> words = new ArrayDeque<>();
        private final Thread listening;
        private final WallClock wall = new WallClock(Clock.systemUTC());
        private volatile boolean stopped;

        Child(Process process) {
            this.process = process;
            pipe = process.getInputStream();
            listening = Thread.ofVirtual().start(this::listen);
        }

        private void listen() {
            try (var lines = process.errorReader(StandardCharsets.UTF_8)) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    synchronized (words) {
                        words.add(line.length() > 500 ? line.substring(0, 500) : line);
                        if (words.size() > MOST_LINES) {
                            words.removeFirst();
                        }
                    }
                }
            } catch (IOException e) {
                // The child has ended.
            }
        }

        @Override
        public Optional<Frame> read() throws LostException, InterruptedException {
            long end = System.nanoTime() + options.stallTimeout().toNanos();
            int got = 0;
            long captured = 0;
            try {
                while (!stopped) {
                    int ready = pipe.available();
                    if (ready > 0) {
                        captured = got == 0 ? System.nanoTime() : captured;
                        got += pipe.read(bytes, got, Math.min(ready, bytes.length - got));
                        if (got == bytes.length) {
                            return given(captured);
                        }
                    } else if (!process.isAlive() && pipe.available() == 0) {
                        throw new LostException(ended());
                    } else if (System.nanoTime() - end > 0) {
                        throw new LostException("no frame for " + StreamLink.seconds(options.stallTimeout())
                                + said());
                    } else {
                        Thread.sleep(LOOK_MILLIS);
                    }
                }
                return Optional.empty();
            } catch (IOException e) {
                throw new LostException("the pipe broke" + said());
            }
        }

        private Optional<Frame> given(long captured) {
            Optional<Frame> given = pools.free(PixelFormat.I420, camera.width(), camera.height());
            Frame frame = given.orElseThrow();
            MemorySegment.copy(bytes, 0, frame.pixels(), ValueLayout.JAVA_BYTE, 0, bytes.length);
            frame.stamp(captured, wall.microsAt(captured), wall.isSynchronized(), number++);
            return given;
        }

        private String ended() throws InterruptedException {
            boolean heard = listening.join(java.time.Duration.ofSeconds(1));
            return camera.program() + " ended with status " + process.waitFor() + said();
        }

        private String said() {
            synchronized (words) {
                String meaning = meaning(String.join("\n", words));
                return meaning.isEmpty() ? "" : ": " + meaning;
            }
        }

        @Override
        public boolean retain(Frame frame) {
            return pools.retain(frame);
        }

        @Override
        public boolean release(Frame frame) {
            pools.release(frame);
            return true;
        }

        @Override
        public void stop() {
            stopped = true;
        }

        @Override
        public void close() {
            if (process.isAlive()) {
                CLibrary.signal(process.pid(), SIGINT);
            }
            boolean interrupted = Thread.interrupted();
            try {
                // A program inherits from a shell's background job that SIGINT is ignored; SIGTERM it hears.
                if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                    process.destroy();
                    if (!process.waitFor(TERM_SECONDS, TimeUnit.SECONDS)) {
                        process.destroyForcibly();
                    }
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                interrupted = true;
            }
            try {
                pipe.close();
                process.getOutputStream().close();
            } catch (IOException e) {
                // It is gone.
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
