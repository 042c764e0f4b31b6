package dev.shrike.app.serve;

import dev.shrike.ShrikeException;
import dev.shrike.app.Console;
import dev.shrike.app.UsageException;
import dev.shrike.app.serve.config.ServiceConfig;
import dev.shrike.sources.FrameSource;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** How far {@code shrike serve --check} goes; each goes further than those before it. */
enum ConfigCheck {
    /** Settings, and sources without connecting to them. */
    CONFIG,
    /** The engine, the model and its classes: each engine is opened and run once. */
    MODEL,
    /** Whether the broker is there. Nothing is said to it: a service that runs may be connected under the same name. */
    FULL;

    private static final int BROKER_MILLIS = 3_000;
    private static final int PLAIN_PORT = 1883;
    private static final int TLS_PORT = 8883;

    /**
     * The one of that name.
     *
     * @throws UsageException if there is none
     */
    static ConfigCheck of(String name) {
        for (ConfigCheck one : values()) {
            if (one.name().toLowerCase(Locale.ROOT).equals(name)) {
                return one;
            }
        }
        throw new UsageException("--check=" + name + ": is none of config, model, full", null);
    }

    /** Whether all of it can be used; tells what cannot. */
    boolean passes(ServiceConfig config, Openers openers, Console console) {
        List<String> problems = new ArrayList<>();
        for (ServiceConfig.Camera camera : config.cameras()) {
            try (FrameSource source = openers.source(camera)) {
                console.note("camera " + camera.id() + ": " + source.name());
            } catch (ShrikeException e) {
                problems.add("camera " + camera.id() + ": " + e.getMessage());
            }
        }
        if (this != CONFIG) {
            model(config, openers, console, problems);
        }
        if (this == FULL && !config.outputs().mqtt().broker().isEmpty()) {
            broker(config.outputs().mqtt().broker(), console, problems);
        }
        problems.forEach(console::error);
        return problems.isEmpty();
    }

    private static void model(ServiceConfig config, Openers openers, Console console, List<String> problems) {
        try (Engines engines = Engines.open(config, openers, reason -> {})) {
            for (ServiceConfig.Camera camera : config.cameras()) {
                Reporting checked = Reporting.of(camera, engines.byCamera().get(camera.id()).labels());
            }
            console.note("model " + config.engine().weights() + ": " + engines.any().engine());
        } catch (ShrikeException e) {
            problems.add(e.getMessage());
        }
    }

    private static void broker(String address, Console console, List<String> problems) {
        try {
            URI uri = URI.create(address);
            int port = uri.getPort() >= 0 ? uri.getPort() : "mqtts".equals(uri.getScheme()) ? TLS_PORT : PLAIN_PORT;
            if (uri.getHost() == null) {
                problems.add("outputs.mqtt.broker is no address; mqtt://HOST:PORT is one");
                return;
            }
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(uri.getHost(), port), BROKER_MILLIS);
            }
            console.note("broker " + uri.getHost() + ":" + port + ": can be reached");
        } catch (IllegalArgumentException e) {
            // Its message has the whole text, which may hold a password.
            problems.add("outputs.mqtt.broker is no address; mqtt://HOST:PORT is one");
        } catch (IOException e) {
            problems.add("outputs.mqtt.broker: cannot be reached: " + e.getMessage());
        }
    }
}
