package dev.shrike.app.detect;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.shrike.Detection;
import dev.shrike.app.Version;
import dev.shrike.app.device.ProcessMemory;
import dev.shrike.app.device.SystemFiles;
import dev.shrike.app.page.PageModel;
import dev.shrike.app.page.PageServer;
import dev.shrike.app.page.PageSettings;
import dev.shrike.app.page.PageState;
import dev.shrike.app.page.PreviewFeed;
import dev.shrike.live.LiveResult;
import dev.shrike.sources.FrameSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The page of the service for one run, for {@code --view}: the video, camera or stream that is looked at now, with
 * its boxes. Listens at the loopback address alone, so it needs no token, and ends with the run. Shown from one thread,
 * read by any.
 */
final class RunPage implements PageModel, AutoCloseable {
    private static final String CAMERA = "view";
    private static final String LOOPBACK = "127.0.0.1";
    private static final double IMAGES_A_SECOND = 10;
    private static final int WIDEST = 960;
    private static final int QUALITY = 80;
    private static final int CLIENTS = 16;
    private static final int WRITE_SECONDS = 4;
    private static final long MEBIBYTE = 1L << 20;

    private final PreviewFeed feed = new PreviewFeed(CAMERA, IMAGES_A_SECOND, WIDEST, QUALITY);
    private final String model;
    private final String engine;
    private final String version = version();
    private final SystemFiles files = new SystemFiles(Path.of("/"));
    private final long startedAt = System.nanoTime();
    private final PageServer server;
    private FrameSource source;
    private List<Detection> objects = List.of();
    private long second;
    private int frames;
    private int framesOfSecond;
    private long ageNanos;
    private long dropped;

    /**
     * A page that is served.
     *
     * @param port TCP port; 0 takes a free one
     * @param model name of the network
     * @param engine what runs it
     */
    RunPage(int port, String model, String engine) {
        this.model = model;
        this.engine = engine;
        PageSettings settings = new PageSettings(LOOPBACK, port, "", List.of(), CLIENTS, CLIENTS, WRITE_SECONDS);
        server = PageServer.start(settings, this);
    }

    /** Where it is. */
    String url() {
        return "http://" + LOOPBACK + ":" + server.address().getPort() + "/";
    }

    /** From here on this source is shown. */
    synchronized void begin(FrameSource shown) {
        source = shown;
        objects = List.of();
        framesOfSecond = 0;
        frames = 0;
    }

    /** Shows what was seen in a frame, which is not kept. */
    void show(LiveResult result, List<Detection> drawn) {
        long now = System.nanoTime();
        synchronized (this) {
            long at = TimeUnit.NANOSECONDS.toSeconds(now);
            if (at != second) {
                framesOfSecond = at == second + 1 ? frames : 0;
                second = at;
                frames = 0;
            }
            frames++;
            objects = List.copyOf(drawn);
            ageNanos = result.ageNanos();
            dropped = result.dropped();
        }
        if (feed.wanted(now)) {
            feed.offer(result.frame(), drawn);
        }
    }

    @Override
    public synchronized String state(boolean whole) {
        ObjectNode state = PageState.create();
        state.put("version", version).put("phase", "running").put("illness", "")
                .put("upSeconds", TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startedAt))
                .put("model", model).put("engine", engine);
        ObjectNode board = state.putObject("board");
        board.putArray("throttling");
        board.putArray("throttledEarlier");
        board.put("residentMegabytes", ProcessMemory.resident(files).orElse(0L) / MEBIBYTE);
        ArrayNode cameras = state.putArray("cameras");
        if (source != null) {
            camera(cameras.addObject());
        }
        state.putArray("outputs");
        state.putArray("events");
        if (whole) {
            state.putObject("settings");
        }
        return PageState.text(state);
    }

    private void camera(ObjectNode node) {
        node.put("id", CAMERA);
        PageState.source(node, source, text -> text);
        node.put("dropped", dropped).put("paused", false).put("viewers", feed.viewers());
        if (framesOfSecond > 0) {
            node.put("fps", framesOfSecond).put("ageMillis", TimeUnit.NANOSECONDS.toMillis(ageNanos));
        }
        node.putArray("history");
        PageState.objects(node, objects);
    }

    private static String version() {
        try {
            return new Version().getVersion()[0];
        } catch (IOException e) {
            throw new UncheckedIOException("the program has no version in it", e);
        }
    }

    @Override
    public Optional<PreviewFeed> preview(String camera) {
        return camera.equals(CAMERA) ? Optional.of(feed) : Optional.empty();
    }

    @Override
    public Optional<String> metrics() {
        return Optional.empty();
    }

    @Override
    public Optional<String> illness() {
        return Optional.empty();
    }

    @Override
    public void close() {
        feed.close();
        server.close();
    }
}
