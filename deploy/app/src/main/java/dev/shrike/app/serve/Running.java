package dev.shrike.app.serve;

import dev.shrike.app.outputs.CameraControl;
import dev.shrike.app.outputs.OutputStatus;
import dev.shrike.app.serve.config.ServiceConfig;
import dev.shrike.app.page.PageServer;
import dev.shrike.app.page.PageSettings;
import dev.shrike.app.page.PreviewFeed;
import dev.shrike.sources.FrameSource;
import dev.shrike.sources.SourceState;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** All that runs under one configuration, and the change to another. Confined to the thread of the service. */
final class Running implements AutoCloseable {
    private final Openers openers;
    private final FaultLog log;
    private final RecentEvents events;
    private final ServiceState state;
    private final Map<String, CameraLoop> loops = new LinkedHashMap<>();
    /** The same for other threads. */
    private final Map<String, CameraLoop> running = new ConcurrentHashMap<>();
    private ServiceConfig config;
    private Engines engines;
    private Openers.Outlets outlets = Openers.Outlets.NONE;
    private volatile PageServer page;

    Running(Openers openers, FaultLog log, RecentEvents events, ServiceState state) {
        this.openers = openers;
        this.log = log;
        this.events = events;
        this.state = state;
    }

    /** Opens the page, which then shows that the rest is opened. */
    void openPage(ServiceConfig first) {
        config = first;
        first.page().ifPresent(wanted -> {
            page = PageServer.start(settings(wanted, first), state);
            log.info("page at " + url(page));
        });
    }

    private static String url(PageServer server) {
        String address = server.address().getAddress().getHostAddress();
        return "http://" + (address.contains(":") ? "[" + address + "]" : address) + ":" + server.address().getPort()
                + "/";
    }

    /** Opens outputs and sources and begins. */
    void start(ServiceConfig first, Engines opened) {
        engines = opened;
        Map<String, Reporting> reporting = reporting(first, opened);
        Map<String, FrameSource> sources = openSources(first.cameras());
        try {
            outlets = openers.outputs(first, control(first));
        } catch (RuntimeException | Error e) {
            sources.values().forEach(FrameSource::close);
            throw e;
        }
        first.cameras().forEach(camera -> begin(camera, reporting.get(camera.id()), sources.get(camera.id())));
        show();
    }

    boolean needsOtherEngines(ServiceConfig next) {
        return !Engines.Needs.of(config).equals(Engines.Needs.of(next));
    }

    Engines engines() {
        return engines;
    }

    /**
     * Changes to another configuration: first opens what is new, where nothing that runs is in its way, then ends what
     * is gone. If something cannot be opened, everything stays as it was.
     */
    void change(ServiceConfig next, Engines opened) {
        Map<String, FrameSource> sources = new LinkedHashMap<>();
        PageServer newPage = null;
        Openers.Outlets newOutlets = outlets;
        boolean otherEngines = needsOtherEngines(next);
        Map<String, Reporting> reporting;
        try {
            reporting = reporting(next, opened);
            sources.putAll(openSources(next.cameras().stream()
                    .filter(camera -> otherEngines || !runs(camera, next)).toList()));
            newPage = otherPage(next);
            if (!next.outputs().equals(config.outputs()) || !ids(next).equals(ids(config))) {
                newOutlets = otherOutlets(next);
            }
        } catch (RuntimeException | Error e) {
            sources.values().forEach(FrameSource::close);
            if (newPage != null) {
                newPage.close();
            }
            if (otherEngines) {
                opened.close();
            }
            throw e;
        }
        Engines oldEngines = engines;
        engines = opened;
        outlets = newOutlets;
        for (CameraLoop loop : List.copyOf(loops.values())) {
            boolean kept = next.cameras().contains(loop.camera()) && !sources.containsKey(loop.camera().id());
            if (kept) {
                loop.outputs(outlets.outputs());
            } else {
                loops.remove(loop.camera().id());
                running.remove(loop.camera().id());
                loop.close();
            }
        }
        config = next;
        sources.forEach((id, source) -> begin(camera(next, id), reporting.get(id), source));
        if (otherEngines) {
            oldEngines.close();
        }
        swapPage(next, newPage);
        show();
    }

    /** Whether this very camera runs already, with the same image for the page. */
    private boolean runs(ServiceConfig.Camera camera, ServiceConfig next) {
        CameraLoop loop = loops.get(camera.id());
        return loop != null && !loop.ended() && loop.camera().equals(camera) && preview(config).equals(preview(next));
    }

    private static List<Object> preview(ServiceConfig config) {
        return config.page().<List<Object>>map(
                page -> List.of(page.previewFps(), page.previewWidth(), page.previewQuality())).orElse(List.of());
    }

    private static ServiceConfig.Camera camera(ServiceConfig config, String id) {
        return config.cameras().stream().filter(camera -> camera.id().equals(id)).findFirst().orElseThrow();
    }

    /** Files, sockets and names at brokers are one at a time, so the old ones are closed first. */
    private Openers.Outlets otherOutlets(ServiceConfig next) {
        loops.values().forEach(loop -> loop.outputs(Openers.Outlets.NONE.outputs()));
        outlets.close();
        try {
            return openers.outputs(next, control(next));
        } catch (RuntimeException | Error e) {
            outlets = openers.outputs(config, control(config));
            loops.values().forEach(loop -> loop.outputs(outlets.outputs()));
            throw e;
        }
    }

    private static List<String> ids(ServiceConfig config) {
        return config.cameras().stream().map(ServiceConfig.Camera::id).toList();
    }

    private CameraControl control(ServiceConfig config) {
        return new LoopControl(ids(config), running);
    }

    private PageServer otherPage(ServiceConfig next) {
        if (next.page().isEmpty() || page != null && page.listensAs(settings(next.page().get(), next))) {
            return null;
        }
        return PageServer.start(settings(next.page().get(), next), state);
    }

    private void swapPage(ServiceConfig next, PageServer other) {
        if (page != null && (other != null || next.page().isEmpty())) {
            page.close();
            page = null;
        }
        if (other != null) {
            page = other;
            log.info("page at " + url(page));
        } else if (page != null) {
            page.change(settings(next.page().orElseThrow(), next));
        }
    }

    private static PageSettings settings(ServiceConfig.Page page, ServiceConfig config) {
        return new PageSettings(page.address(), page.port(), page.token(), page.hosts(), config.limits().streams(),
                config.limits().connectionsPerAddress(), config.limits().writeSeconds());
    }

    private static Map<String, Reporting> reporting(ServiceConfig config, Engines engines) {
        Map<String, Reporting> all = new LinkedHashMap<>();
        config.cameras().forEach(camera -> all.put(camera.id(),
                Reporting.of(camera, engines.byCamera().get(camera.id()).labels())));
        return all;
    }

    private Map<String, FrameSource> openSources(List<ServiceConfig.Camera> cameras) {
        Map<String, FrameSource> opened = new LinkedHashMap<>();
        try {
            cameras.forEach(camera -> opened.put(camera.id(), openers.source(camera)));
        } catch (RuntimeException | Error e) {
            opened.values().forEach(FrameSource::close);
            throw e;
        }
        return opened;
    }

    private void begin(ServiceConfig.Camera camera, Reporting reporting, FrameSource source) {
        double rate = config.page().map(ServiceConfig.Page::previewFps).orElse(1.0);
        int width = config.page().map(ServiceConfig.Page::previewWidth).orElse(64);
        int quality = config.page().map(ServiceConfig.Page::previewQuality).orElse(1);
        CameraLoop loop = new CameraLoop(camera, reporting, source, engines.byCamera().get(camera.id()),
                outlets.outputs(), new PreviewFeed(camera.id(), rate, width, quality), events, log);
        loops.put(camera.id(), loop);
        running.put(camera.id(), loop);
        loop.start();
    }

    private void show() {
        state.set(new ServiceState.Parts(loops, outlets, config.engine().weights(), engines.any().engine(),
                config.shown()));
        state.set("running", "");
    }

    /** What time does. */
    void tick(long now) {
        loops.values().forEach(loop -> loop.tick(now));
    }

    /** Why a loop makes no progress; empty if all do. */
    Optional<String> frozen(long now) {
        Optional<String> first = Optional.empty();
        for (CameraLoop loop : loops.values()) {
            Optional<String> why = loop.frozen(now, config.limits().stallSeconds());
            first = first.or(() -> why);
        }
        return first;
    }

    void healthy() {
        state.set("running", "");
    }

    void ill(String why) {
        state.set("frozen", why);
    }

    boolean allEnded() {
        return loops.values().stream().allMatch(CameraLoop::ended);
    }

    /** Why a source failed for good, if one did. */
    Optional<String> failure() {
        return loops.values().stream().filter(loop -> !loop.failure().isEmpty())
                .map(loop -> "camera " + loop.camera().id() + ": " + loop.failure()).findFirst();
    }

    List<OutputStatus> outputs() {
        return outlets.outputs().statuses();
    }

    Optional<InetSocketAddress> pageAddress() {
        PageServer now = page;
        return now == null ? Optional.empty() : Optional.of(now.address());
    }

    /** A line for systemctl status. */
    String summary() {
        StringBuilder text = new StringBuilder(engines.any().engine());
        long now = System.nanoTime();
        for (CameraLoop loop : loops.values()) {
            SourceState source = loop.source().state();
            text.append("; ").append(loop.camera().id()).append(' ');
            List<LatencyHistory.Point> points = loop.history().points(now, 2);
            if (source.phase() == SourceState.Phase.RUNNING && !points.isEmpty()) {
                text.append(points.getLast().frames()).append(" frames/s, ").append(Math.round(points.getLast().age()))
                        .append(" ms old");
            } else {
                text.append(source.phase().name().toLowerCase(Locale.ROOT));
                if (!source.reason().isEmpty()) {
                    text.append(": ").append(source.reason());
                }
            }
        }
        return log.clean(text.toString());
    }

    /** Ends everything: sources first, so that outputs still tell of the ends of tracks. */
    @Override
    public void close() {
        loops.values().parallelStream().forEach(CameraLoop::close);
        outlets.close();
        if (page != null) {
            page.close();
        }
        if (engines != null) {
            engines.close();
        }
    }
}
