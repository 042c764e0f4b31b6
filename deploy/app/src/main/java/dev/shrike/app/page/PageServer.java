package dev.shrike.app.page;

import com.sun.net.httpserver.HttpServer;
import dev.shrike.ShrikeException;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Serves the page, each request on a virtual thread of its own. Whoever opened it closes it. */
public final class PageServer implements AutoCloseable {
    private static final int BACKLOG = 128;

    private final HttpServer server;
    private final ExecutorService threads;
    private final StallGuard guard;
    private final PageHandler handler;
    private volatile PageSettings settings;

    private PageServer(HttpServer server, PageSettings settings, PageModel model) {
        this.server = server;
        this.settings = settings;
        guard = new StallGuard(settings.writeSeconds());
        handler = new PageHandler(model, guard, settings);
        threads = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("shrike-page-", 0).factory());
        server.setExecutor(threads);
        server.createContext("/", handler);
        server.start();
    }

    /**
     * Bounds of the JDK's server, which it reads once in the life of a process, when it is first used: for commands
     * that are a process of their own. A request must have arrived whole within seconds, with headers of a sane size;
     * idle connections are few and short.
     */
    public static void boundProcess() {
        System.setProperty("sun.net.httpserver.maxReqTime", "4");
        System.setProperty("sun.net.httpserver.maxReqHeaders", "64");
        System.setProperty("sun.net.httpserver.maxReqHeaderSize", "16384");
        System.setProperty("sun.net.httpserver.idleInterval", "10");
        System.setProperty("sun.net.httpserver.maxIdleConnections", "32");
        System.setProperty("sun.net.httpserver.nodelay", "true");
        System.setProperty("jdk.httpserver.maxConnections", "512");
    }

    /**
     * A server that serves already.
     *
     * @throws ShrikeException if the address cannot be listened at; names it
     */
    public static PageServer start(PageSettings settings, PageModel model) {
        try {
            InetSocketAddress address =
                    new InetSocketAddress(InetAddress.getByName(settings.address()), settings.port());
            return new PageServer(HttpServer.create(address, BACKLOG), settings, model);
        } catch (BindException e) {
            throw new ShrikeException("page: cannot listen at " + settings.address() + " port " + settings.port() + ": "
                    + e.getMessage() + "; choose another page.port, or page.enabled: false", e);
        } catch (IOException e) {
            throw new ShrikeException("page: cannot listen at " + settings.address() + ": " + e.getMessage(), e);
        }
    }

    /** Where it listens. */
    public InetSocketAddress address() {
        return server.getAddress();
    }

    /** Whether it can take other settings without being started anew. */
    public boolean listensAs(PageSettings wanted) {
        return settings.address().equals(wanted.address()) && settings.port() == wanted.port();
    }

    /** Takes other settings, from the next request on. */
    public void change(PageSettings wanted) {
        settings = wanted;
        guard.limit(wanted.writeSeconds());
        handler.change(wanted);
    }

    /** Cuts all connections. */
    @Override
    public void close() {
        handler.close();
        guard.close();
        server.stop(0);
        threads.shutdownNow();
    }
}
