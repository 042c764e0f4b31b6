package dev.shrike.app.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Detection;
import dev.shrike.Frame;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("any-processor")
class PageServerTest {
    private static final String TOKEN = "a-token-of-some-length";

    private final PreviewFeed feed = new PreviewFeed("front", 30, 320, 70);
    private final AtomicBoolean ended = new AtomicBoolean();
    private PageServer server;

    @AfterEach
    void close() throws InterruptedException {
        ended.set(true);
        if (server != null) {
            server.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"GET,/,200", "HEAD,/,200", "GET,/api/state,200", "GET,/metrics,200", "GET,/healthz,200",
            "POST,/,405", "PUT,/api/state,405", "DELETE,/camera/front.mjpeg,405", "OPTIONS,/,405", "TRACE,/,405",
            "GET,/login,405", "GET,/nothing,404", "GET,/camera/other.mjpeg,404", "GET,/camera/../etc/passwd,404",
            "GET,/..%2f..%2fetc/passwd,404", "GET,//etc/passwd,404", "GET,/camera/front.mjpeg/..,404",
            "GET,/api/state/,404", "GET,/%00,404", "GET,/page.html,404", "HEAD,/camera/front.mjpeg,200",
            "HEAD,/api/stream,200"})
    void eachPathHasItsAnswer(String method, String path, int code) throws IOException {
        start("");
        assertEquals(code,
                code(raw(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:8080", "[::1]:8080", "192.168.1.7",
            "robot.example", "robot.example.:1"})
    void namesOfTheMachineAreKnown(String host) throws IOException {
        start("");
        assertEquals(200, code(raw("GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Host: evil.example\r\n", "Host: localhost.evil.example\r\n", "", "Host:\r\n",
            "Host: localhost\r\nHost: evil.example\r\n", "Host: localhost@evil.example\r\n",
            "Host: 127.0.0.1.evil.example\r\n", "Host: local host\r\n"})
    void otherNamesAreRefused(String host) throws IOException {
        start("");
        int code = code(raw("GET /api/state HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n"));
        assertTrue(code == 421 || code == 400, "was " + code);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/api/state", "/api/stream", "/metrics", "/healthz", "/camera/front.mjpeg",
            "/camera/front.jpg", "/nothing"})
    void theTokenCoversEveryPath(String path) throws IOException {
        start(TOKEN);
        for (String header : List.of("", "Authorization: Bearer wrong\r\n", "Authorization: Bearer " + TOKEN + "x\r\n",
                "Cookie: shrike=" + TOKEN + "\r\n", "Cookie: shrike=\r\n", "Authorization: Bearer\r\n")) {
            assertEquals(401, code(raw("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + header
                    + "Connection: close\r\n\r\n")), header);
        }
        int code = code(raw("HEAD " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: bearer " + TOKEN
                + "\r\nConnection: close\r\n\r\n"));
        assertTrue(code == 200 || path.equals("/nothing") && code == 404 || path.endsWith("jpg") && code == 503,
                path + ": " + code);
    }

    @Test
    void theFormGivesACookieForTheToken() throws IOException {
        start(TOKEN);
        String right = login("token=" + TOKEN, "");
        assertEquals(303, code(right));
        String cookie = right.lines().filter(line -> line.toLowerCase().startsWith("set-cookie:")).findFirst()
                .orElseThrow().substring("set-cookie:".length()).strip().replaceFirst(";.*", "");
        assertFalse(right.contains(TOKEN), "the token itself is in the answer");
        assertTrue(right.contains("HttpOnly") && right.contains("SameSite=Strict"), right);
        assertEquals(200, code(raw("GET / HTTP/1.1\r\nHost: localhost\r\nCookie: a=b; " + cookie
                + "\r\nConnection: close\r\n\r\n")));
        assertEquals(401, code(login("token=wrong", "")));
        assertEquals(401, code(login("token=%zz&x", "")));
        assertEquals(403, code(login("token=" + TOKEN, "Origin: http://evil.example\r\n")));
    }

    private String login(String form, String header) throws IOException {
        return raw("POST /login HTTP/1.1\r\nHost: localhost\r\n" + header + "Content-Length: " + form.length()
                + "\r\nConnection: close\r\n\r\n" + form);
    }

    @Test
    void thePageIsSmallWholeAndBound() throws IOException {
        start("");
        String answer = raw("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assertTrue(answer.length() <= 100_000, answer.length() + " bytes");
        String page = answer.substring(answer.indexOf("\r\n\r\n"));
        assertFalse(page.replace("http://www.w3.org/2000/svg", "").matches("(?s).*(https?:)?//[a-z].*"),
                "the page asks somebody else");
        assertFalse(page.contains("${"), "the build puts something in there");
        String policy = answer.lines().filter(line -> line.toLowerCase().startsWith("content-security-policy"))
                .findFirst().orElseThrow();
        assertTrue(policy.contains("default-src 'none'") && policy.contains("script-src 'sha256-"), policy);
        assertFalse(policy.contains("unsafe"), policy);
        for (String header : List.of("nosniff", "no-referrer", "DENY", "no-store")) {
            assertTrue(answer.contains(header), header);
        }
    }

    @Test
    void imagesAreMadeOnlyForThoseWhoWatch() throws Exception {
        start("");
        assertFalse(feed.wanted(System.nanoTime()));
        Thread camera = Thread.ofPlatform().daemon().start(this::offerFrames);
        assertEquals(0, feed.encoded());
        try (Socket socket = connect()) {
            socket.getOutputStream().write("GET /camera/front.mjpeg HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(
                    StandardCharsets.US_ASCII));
            String begin = new String(socket.getInputStream().readNBytes(3000), StandardCharsets.ISO_8859_1);
            assertTrue(begin.contains("multipart/x-mixed-replace"), begin);
            assertTrue(begin.contains("Content-Type: image/jpeg"), begin);
        }
        // The stream of a closed tab ends with a write that finds nobody.
        while (feed.viewers() > 0) {
            Thread.sleep(20);
        }
        long encoded = feed.encoded();
        assertTrue(encoded > 0);
        Thread.sleep(200);
        assertTrue(feed.encoded() <= encoded + 1, "images are made for nobody");
        ended.set(true);
        camera.join();
    }

    private void offerFrames() {
        Frame frame = Frame.allocate(640, 480);
        while (!ended.get()) {
            if (feed.wanted(System.nanoTime())) {
                feed.offer(frame, List.of(new Detection(0, "person #1", 0.9f, 10, 20, 200, 300)));
            }
            Thread.onSpinWait();
        }
    }

    @Test
    void whoeverTakesNothingIsCut() throws Exception {
        start("");
        Thread camera = Thread.ofPlatform().daemon().start(this::offerFrames);
        List<Socket> stalled = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            Socket socket = new Socket();
            socket.setReceiveBufferSize(4096);
            socket.connect(server.address());
            socket.getOutputStream().write("GET /camera/front.mjpeg HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(
                    StandardCharsets.US_ASCII));
            stalled.add(socket);
        }
        while (feed.viewers() < stalled.size()) {
            Thread.sleep(10);
        }
        while (feed.viewers() > 0) {
            Thread.sleep(50);
        }
        for (Socket socket : stalled) {
            socket.close();
        }
        ended.set(true);
        camera.join();
    }

    @Test
    void oneAddressHasSoManyConnections() throws Exception {
        start("");
        List<Socket> open = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            Socket socket = connect();
            socket.getOutputStream().write("GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(
                    StandardCharsets.US_ASCII));
            assertEquals(200, code(new String(socket.getInputStream().readNBytes(20), StandardCharsets.US_ASCII)));
            open.add(socket);
        }
        assertEquals(429, code(raw("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")));
        for (Socket socket : open) {
            socket.close();
        }
        // As soon as their streams find that nobody is there, others may come.
        while (code(raw("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")) != 200) {
            Thread.sleep(50);
        }
    }

    /** Whatever comes in: an answer with a code, or the end of the connection. */
    @Test
    void damagedRequestsHarmNobody() throws Exception {
        start(TOKEN);
        byte[] sound = ("GET /api/state?a=b HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer nonsense\r\n"
                + "Cookie: shrike=1\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc").getBytes(
                        StandardCharsets.US_ASCII);
        for (int seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            byte[] damaged = sound.clone();
            for (int i = random.nextInt(8); i >= 0; i--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            try (Socket socket = connect()) {
                socket.setSoTimeout(200);
                socket.getOutputStream().write(damaged);
                socket.shutdownOutput();
                String answer = new String(socket.getInputStream().readNBytes(2000), StandardCharsets.ISO_8859_1);
                assertFalse(answer.contains(" 200 "), "seed " + seed + ": " + answer);
            } catch (IOException e) {
                // cut, or it waits for more: both are right
            }
        }
        HttpResponse<String> after = HttpClient.newHttpClient().send(HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + server.address().getPort() + "/healthz"))
                .header("Authorization", "Bearer " + TOKEN).build(), HttpResponse.BodyHandlers.ofString());
        assertEquals(200, after.statusCode());
    }

    private void start(String token) {
        PageSettings settings = new PageSettings("127.0.0.1", 0, token, List.of("robot.example"), 16, 8, 1);
        server = PageServer.start(settings, new PageModel() {
            @Override
            public String state(boolean whole) {
                return "{}";
            }

            @Override
            public Optional<PreviewFeed> preview(String camera) {
                return camera.equals("front") ? Optional.of(feed) : Optional.empty();
            }

            @Override
            public Optional<String> metrics() {
                return Optional.of("x 1\n");
            }

            @Override
            public Optional<String> illness() {
                return Optional.empty();
            }
        });
    }

    private Socket connect() throws IOException {
        return new Socket(InetAddress.getLoopbackAddress(), server.address().getPort());
    }

    private String raw(String request) throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            InputStream in = socket.getInputStream();
            return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }

    private static int code(String answer) {
        return answer.length() < 12 ? 0 : Integer.parseInt(answer.substring(9, 12));
    }
}
