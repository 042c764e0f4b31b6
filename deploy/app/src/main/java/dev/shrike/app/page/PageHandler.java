package dev.shrike.app.page;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Answers requests: a fixed set of paths, nothing from the disk. */
final class PageHandler implements HttpHandler {
    private static final Pattern CAMERA = Pattern.compile("/camera/([a-z0-9][a-z0-9_-]{0,31})\\.(mjpeg|jpg)");
    private static final String BOUNDARY = "shrike-frame";
    private static final long STATE_MILLIS = 1000;
    /** A camera that gives nothing for so long ends the stream; the page asks again. */
    private static final long LONGEST_WAIT_MILLIS = 15_000;
    private static final int MOST_FORM_BYTES = 4096;
    private static final long WRONG_TOKEN_MILLIS = 500;

    private final PageModel model;
    private final StallGuard guard;
    private final PageFiles files = new PageFiles();
    private final AtomicInteger streams = new AtomicInteger();
    private volatile Gate gate;
    private volatile int mostStreams;
    private volatile boolean closed;

    PageHandler(PageModel model, StallGuard guard, PageSettings settings) {
        this.model = model;
        this.guard = guard;
        change(settings);
    }

    void change(PageSettings settings) {
        gate = new Gate(settings);
        mostStreams = settings.streams();
    }

    void close() {
        closed = true;
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        Gate entered = gate;
        boolean inside = entered.enter(exchange);
        try {
            if (inside) {
                answer(exchange, entered);
            } else {
                exchange.getResponseHeaders().set("Connection", "close");
                refuse(exchange, 429, "too many connections of this address");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            // The client has gone, or was cut.
        } finally {
            if (inside) {
                entered.leave(exchange);
            }
            exchange.close();
        }
    }

    private void answer(HttpExchange exchange, Gate entered) throws IOException, InterruptedException {
        Headers headers = exchange.getRequestHeaders();
        if (!entered.knows(headers)) {
            refuse(exchange, 421, "this page is not called so; page.hosts of the configuration lists names");
            return;
        }
        String path = exchange.getRequestURI().getRawPath();
        String method = exchange.getRequestMethod();
        if ("/login".equals(path)) {
            login(exchange, entered, method);
            return;
        }
        if (!method.equals("GET") && !method.equals("HEAD")) {
            exchange.getResponseHeaders().set("Allow", "GET, HEAD");
            refuse(exchange, 405, "only GET and HEAD are answered");
            return;
        }
        if (!entered.admits(headers)) {
            exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer realm=\"shrike\"");
            if ("/".equals(path)) {
                send(exchange, 401, files.login(false));
            } else {
                refuse(exchange, 401, "a token is needed: Authorization: Bearer TOKEN");
            }
            return;
        }
        route(exchange, path == null ? "" : path);
    }

    private void route(HttpExchange exchange, String path) throws IOException, InterruptedException {
        switch (path) {
            case "/" -> send(exchange, 200, files.page());
            case "/api/state" -> send(exchange, 200, PageFiles.json(model.state(true)));
            case "/api/stream" -> stream(exchange, this::tellState);
            case "/healthz" -> {
                Optional<String> illness = model.illness();
                send(exchange, illness.isEmpty() ? 200 : 503, PageFiles.text(illness.orElse("ok") + "\n"));
            }
            case "/metrics" -> {
                Optional<String> metrics = model.metrics();
                if (metrics.isPresent()) {
                    send(exchange, 200, PageFiles.metrics(metrics.get()));
                } else {
                    refuse(exchange, 404, "outputs.metrics is off");
                }
            }
            default -> camera(exchange, path);
        }
    }

    private void camera(HttpExchange exchange, String path) throws IOException, InterruptedException {
        Matcher matcher = CAMERA.matcher(path);
        Optional<PreviewFeed> feed = matcher.matches() ? model.preview(matcher.group(1)) : Optional.empty();
        if (feed.isEmpty()) {
            refuse(exchange, 404, "there is no such page");
        } else if (matcher.group(2).equals("jpg")) {
            stream(exchange, one -> image(one, feed.get()));
        } else {
            stream(exchange, one -> images(one, feed.get()));
        }
    }

    @FunctionalInterface
    private interface Stream {
        void run(HttpExchange exchange) throws IOException, InterruptedException;
    }

    private void stream(HttpExchange exchange, Stream stream) throws IOException, InterruptedException {
        if (streams.incrementAndGet() > mostStreams) {
            streams.decrementAndGet();
            refuse(exchange, 503, "limits.streams are watched already");
            return;
        }
        try {
            guard.follow(exchange, () -> stream.run(exchange));
        } finally {
            streams.decrementAndGet();
        }
    }

    private void image(HttpExchange exchange, PreviewFeed feed) throws IOException, InterruptedException {
        Optional<byte[]> image = head(exchange) ? Optional.empty() : feed.snapshot(LONGEST_WAIT_MILLIS / 3);
        if (image.isPresent()) {
            send(exchange, 200, new PageFiles.Body("image/jpeg", image.get(), ""));
        } else {
            refuse(exchange, 503, "the camera gives no image");
        }
    }

    private void images(HttpExchange exchange, PreviewFeed feed) throws IOException, InterruptedException {
        begin(exchange, "multipart/x-mixed-replace; boundary=" + BOUNDARY);
        if (head(exchange)) {
            return;
        }
        OutputStream out = exchange.getResponseBody();
        feed.enter();
        try {
            long last = 0;
            while (!closed) {
                Optional<PreviewFeed.Image> image = feed.await(last, LONGEST_WAIT_MILLIS);
                if (image.isEmpty()) {
                    return;
                }
                last = image.get().number();
                byte[] jpeg = image.get().jpeg();
                byte[] start = ("--" + BOUNDARY + "\r\nContent-Type: image/jpeg\r\nContent-Length: " + jpeg.length
                        + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
                byte[] part = new byte[start.length + jpeg.length + 2];
                System.arraycopy(start, 0, part, 0, start.length);
                System.arraycopy(jpeg, 0, part, start.length, jpeg.length);
                part[part.length - 2] = '\r';
                part[part.length - 1] = '\n';
                guard.write(out, part);
            }
        } finally {
            feed.leave();
        }
    }

    private void tellState(HttpExchange exchange) throws IOException, InterruptedException {
        begin(exchange, "text/event-stream; charset=utf-8");
        if (head(exchange)) {
            return;
        }
        OutputStream out = exchange.getResponseBody();
        while (!closed) {
            guard.write(out, ("data: " + model.state(false) + "\n\n").getBytes(StandardCharsets.UTF_8));
            Thread.sleep(STATE_MILLIS);
        }
    }

    private void login(HttpExchange exchange, Gate entered, String method) throws IOException, InterruptedException {
        if (!method.equals("POST")) {
            exchange.getResponseHeaders().set("Allow", "POST");
            refuse(exchange, 405, "only POST is answered");
            return;
        }
        if (!entered.sameOrigin(exchange.getRequestHeaders())) {
            refuse(exchange, 403, "the form was sent from another page");
            return;
        }
        String form = new String(guard.read(exchange.getRequestBody(), MOST_FORM_BYTES), StandardCharsets.UTF_8);
        Optional<String> cookie = Optional.empty();
        for (String field : form.split("&")) {
            if (field.startsWith("token=")) {
                cookie = entered.cookieFor(decode(field.substring("token=".length())).strip());
            }
        }
        if (cookie.isEmpty()) {
            Thread.sleep(WRONG_TOKEN_MILLIS);
            send(exchange, 401, files.login(true));
            return;
        }
        exchange.getResponseHeaders().set("Set-Cookie", cookie.get());
        exchange.getResponseHeaders().set("Location", "/");
        refuse(exchange, 303, "welcome");
    }

    private static String decode(String text) {
        try {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return "";
        }
    }

    private void refuse(HttpExchange exchange, int code, String reason) throws IOException {
        send(exchange, code, PageFiles.text(reason + "\n"));
    }

    private void begin(HttpExchange exchange, String type) throws IOException {
        headers(exchange, type, "");
        guard.guard(() -> exchange.sendResponseHeaders(200, head(exchange) ? -1 : 0));
    }

    private void send(HttpExchange exchange, int code, PageFiles.Body body) throws IOException {
        headers(exchange, body.type(), body.policy());
        boolean head = head(exchange);
        guard.guard(() -> exchange.sendResponseHeaders(code, head ? -1 : body.bytes().length));
        if (!head) {
            guard.write(exchange.getResponseBody(), body.bytes());
        }
    }

    private static void headers(HttpExchange exchange, String type, String policy) {
        Headers headers = exchange.getResponseHeaders();
        headers.set("Content-Type", type);
        headers.set("Cache-Control", "no-store");
        headers.set("Content-Security-Policy",
                "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'" + policy);
        headers.set("X-Content-Type-Options", "nosniff");
        headers.set("X-Frame-Options", "DENY");
        headers.set("Referrer-Policy", "no-referrer");
        headers.set("Cross-Origin-Resource-Policy", "same-origin");
        headers.set("Cross-Origin-Opener-Policy", "same-origin");
        headers.set("Permissions-Policy", "camera=(), microphone=(), geolocation=()");
    }

    private static boolean head(HttpExchange exchange) {
        return exchange.getRequestMethod().equals("HEAD");
    }
}
