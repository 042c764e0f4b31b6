package dev.shrike.sources;

import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.Frame;
import dev.shrike.StageTimes;
import dev.shrike.live.LiveDetector;
import dev.shrike.live.LiveListener;
import dev.shrike.live.LiveResult;
import dev.shrike.sources.SourceState.Phase;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** What {@code tools/rtsp-check.sh} runs: streams of GStreamer's server, which is stopped, killed and restarted. */
final class RtspCheck {
    private static final String USER = "viewer";
    private static final String PASSWORD = "p@ss/w:rd";
    private static final String URI = "rtsp://127.0.0.1:8554/live";
    /** Time between key frames that the server's encoder makes. */
    private static final int GROUP_MILLIS = 480;
    private static final SourceOptions OPTIONS = SourceOptions.builder().credentials(USER, PASSWORD).build();

    /** What bounds of time are multiplied with, for machines that have other work. */
    private static final long PATIENCE = Long.parseLong(System.getenv().getOrDefault("SHRIKE_CHECK_PATIENCE", "1"));

    private static int failures;
    private static Process server;
    private static List<String> serverOptions = List.of();

    private RtspCheck() {}

    private static void check(String what, boolean holds) {
        System.out.println((holds ? "ok      " : "FAILED  ") + what);
        failures += holds ? 0 : 1;
    }

    /** {@code RtspCheck SERVER SECONDS-OF-AGES RECONNECTS [VIDEO RATE]...} */
    public static void main(String[] args) throws Exception {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> server.destroyForcibly()));
        start(args[0]);
        // Loads FFmpeg, which is no part of the time to the first frame.
        FfmpegLibrary.require();
        firstFrames();
        partsOfFirstFrame();
        wrongPasswords();
        stopped(args[0]);
        if (!args[1].equals("0")) {
            ages(Integer.parseInt(args[1]));
        }
        reconnects(Integer.parseInt(args[2]));
        kill();
        for (int i = 3; i + 1 < args.length; i += 2) {
            serverOptions = List.of("--video", args[i], "--rate", args[i + 1]);
            start(args[0]);
            video(args[i]);
            kill();
        }
        System.out.println(failures + " failures");
        System.exit(failures == 0 ? 0 : 1);
    }

    private static void start(String script) throws IOException {
        List<String> command = new ArrayList<>(List.of("/usr/bin/python3", script, "8554", "--user", USER, "--password",
                PASSWORD));
        command.addAll(serverOptions);
        server = new ProcessBuilder(command).redirectErrorStream(true).start();
        BufferedReader lines = server.inputReader();
        for (String line = lines.readLine(); line != null && !line.equals("ready"); line = lines.readLine()) {
            System.out.println("server: " + line);
        }
        Thread.ofVirtual().start(() -> lines.lines().forEach(line -> {}));
    }

    private static void kill() throws InterruptedException {
        server.destroyForcibly().waitFor();
    }

    private static long millisSince(long nanos) {
        return (System.nanoTime() - nanos) / 1_000_000;
    }

    private static void firstFrames() throws InterruptedException {
        for (SourceOptions.Transport transport : SourceOptions.Transport.values()) {
            long began = System.nanoTime();
            try (FrameSource source = Sources.open(URI, OPTIONS.toBuilder().transport(transport).build())) {
                Frame frame = source.next().orElseThrow();
                long millis = millisSince(began);
                check("first frame over " + transport + " after " + millis + " ms, " + frame.width() + "x"
                        + frame.height() + " " + frame.format(), millis <= 1_000 * PATIENCE);
            }
        }
        try (FrameSource source = Sources.open(URI.replace("//", "//" + USER + ":p@ss%2Fw:rd@"))) {
            check("password in the URI; called " + source.name(), source.next().isPresent()
                    && source.name().equals(URI));
        }
    }

    /** Of a stream that others watch already, so that the server need not start it. */
    private static void partsOfFirstFrame() throws Exception {
        try (FrameSource watched = Sources.open(URI, OPTIONS)) {
            watched.next().orElseThrow();
            Thread reader = read(watched);
            long began = System.nanoTime();
            try (Connection connection = link().connect()) {
                long connected = millisSince(began);
                connection.read().orElseThrow();
                long whole = millisSince(began);
                check("stream that runs: plays after " + connected + " ms, first key frame whole " + (whole - connected)
                        + " ms later (one in " + GROUP_MILLIS + " ms)", whole <= 1_000 * PATIENCE);
            }
            watched.close();
            reader.join();
        }
    }

    private static StreamLink link() {
        return new StreamLink(StreamAddress.parse("rtsp", URI.substring("rtsp://".length())), OPTIONS);
    }

    private static void wrongPasswords() throws InterruptedException {
        try (FrameSource source = Sources.open(URI, OPTIONS.toBuilder().credentials(USER, "secret").build())) {
            Thread reader = read(source);
            long began = System.nanoTime();
            while (source.state().reason().isEmpty() && millisSince(began) < 10_000) {
                Thread.sleep(5);
            }
            check("wrong password told after " + millisSince(began) + " ms: " + source.state(),
                    source.state().reason().equals("user or password is refused"));
            source.close();
            reader.join();
        }
    }

    private static Thread read(FrameSource source) {
        return Thread.ofPlatform().start(() -> {
            try {
                for (Optional<Frame> next = source.next(); next.isPresent(); next = source.next()) {
                    // on it goes
                }
            } catch (InterruptedException e) {
                // The check is over.
            }
        });
    }

    private static long millisUntil(FrameSource source, Phase phase, long since) throws InterruptedException {
        while (source.state().phase() != phase && millisSince(since) < 60_000) {
            Thread.sleep(5);
        }
        return millisSince(since);
    }

    private static void stopped(String script) throws Exception {
        try (FrameSource source = Sources.open(URI, OPTIONS)) {
            Thread reader = read(source);
            millisUntil(source, Phase.RUNNING, System.nanoTime());
            long began = System.nanoTime();
            CLibrary.signal(server.pid(), 19);
            long noticed = millisUntil(source, Phase.LOST, began);
            check("stopped server noticed after " + noticed + " ms: " + source.state(), noticed <= 5_000 * PATIENCE);
            Thread.sleep(20_000);
            began = System.nanoTime();
            CLibrary.signal(server.pid(), 18);
            long back = millisUntil(source, Phase.RUNNING, began);
            check("resumed " + back + " ms after it went on, stopped for 20 s", back <= 2_000 * PATIENCE);
            kill();
            began = System.nanoTime();
            noticed = millisUntil(source, Phase.LOST, began);
            check("killed server noticed after " + noticed + " ms: " + source.state(), noticed <= 5_000 * PATIENCE);
            Thread.sleep(20_000);
            System.out.println("        meanwhile " + source.state());
            start(script);
            began = System.nanoTime();
            back = millisUntil(source, Phase.RUNNING, began);
            check("resumed " + back + " ms after its port was open again, closed for 20 s", back <= 2_000 * PATIENCE);
            source.close();
            reader.join();
        }
    }

    /** An engine that sees nothing and takes 80 ms for it. */
    private static final class Engine implements Detector {
        @Override
        public Detections detect(Frame frame) {
            long end = System.nanoTime() + 80_000_000;
            while (end - System.nanoTime() > 0) {
                LockSupport.parkNanos(end - System.nanoTime());
            }
            return new Detections(frame, new StageTimes(0, 80_000_000, 0), List.of());
        }

        @Override
        public List<String> labels() {
            return List.of("thing");
        }

        @Override
        public String engine() {
            return "80 ms";
        }

        @Override
        public int inputWidth() {
            return 64;
        }

        @Override
        public int inputHeight() {
            return 64;
        }

        @Override
        public void close() {
            // It holds nothing.
        }
    }

    private static void ages(int seconds) throws InterruptedException {
        List<Long> ages = new ArrayList<>();
        LiveListener listener = new LiveListener() {
            @Override
            public void onResult(LiveResult result) {
                ages.add(result.ageNanos() / 1_000_000);
            }

            @Override
            public void onError(Throwable error) {
                check("error: " + error, false);
            }
        };
        LiveDetector live = LiveDetector.start(Sources.open(URI, OPTIONS), new Engine(), listener);
        try (live) {
            Thread.sleep(Duration.ofSeconds(seconds));
        }
        int tenth = ages.size() / 10;
        long first = median(ages.subList(0, tenth));
        long last = median(ages.subList(9 * tenth, 10 * tenth));
        check("ages of " + ages.size() + " results in " + seconds + " s: first tenth " + summary(ages.subList(0, tenth))
                + ", last tenth " + summary(ages.subList(9 * tenth, 10 * tenth)) + "; " + live.status(),
                last <= 80 + (40 + 20) * PATIENCE && last - first <= 20 * PATIENCE);
    }

    private static long median(List<Long> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }

    private static String summary(List<Long> values) {
        List<Long> sorted = values.stream().sorted().toList();
        return "median " + sorted.get(sorted.size() / 2) + ", 99 % " + sorted.get(sorted.size() * 99 / 100)
                + ", largest " + sorted.getLast() + " ms";
    }

    private static void reconnects(int rounds) throws Exception {
        FfmpegLibrary.require();
        StreamLink link = link();
        long descriptors = 0;
        int threads = 0;
        long kilobytes = 0;
        int lost = 0;
        for (int i = 0; i <= rounds; i++) {
            try (Connection connection = link.connect()) {
                connection.read().orElseThrow();
            } catch (LostException e) {
                // Counted as well: what is lost must be freed too.
                lost++;
            }
            if (i == rounds / 5) {
                System.gc();
                descriptors = descriptors();
                threads = Thread.getAllStackTraces().size();
                kilobytes = SteadyRun.resident();
            }
        }
        System.gc();
        TimeUnit.SECONDS.sleep(1);
        long more = SteadyRun.resident() - kilobytes;
        check((rounds - rounds / 5) + " connections, " + lost + " of all lost before a frame: " + more + " kB, "
                + (descriptors() - descriptors)
                + " descriptors, " + (Thread.getAllStackTraces().size() - threads) + " threads more",
                lost <= rounds / 50 && more <= 2_048 && descriptors() <= descriptors
                        && Thread.getAllStackTraces().size() <= threads);
    }

    private static long descriptors() throws IOException {
        try (var all = Files.list(Path.of("/proc/self/fd"))) {
            return all.count();
        }
    }

    private static void video(String name) throws InterruptedException {
        long began = System.nanoTime();
        try (FrameSource source = Sources.open(URI, OPTIONS)) {
            Frame frame = source.next().orElseThrow();
            long first = millisSince(began);
            for (int i = 0; i < 100; i++) {
                frame = source.next().orElseThrow();
            }
            check(Path.of(name).getFileName() + ": first frame after " + first + " ms, 100 more of " + frame.width()
                    + "x" + frame.height() + " in " + (millisSince(began) - first) + " ms", first <= 1_000 * PATIENCE);
        }
    }
}
