import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What a hostile network does to the page of the service: {@code java tools/PageAttacks.java PORT CAMERA TOKEN FUZZED
 * SECONDS}. Ends with 1 if something got in, somebody who only holds a connection stayed, or a good client suffered.
 */
public class PageAttacks {
    private static final int STALLED = 50;
    private static final int HALF_OPEN = 80;
    private static final long GONE_MILLIS = 10_000;
    /**
     * The time of a client that takes nothing begins once the buffers on its way are full: over the loopback those are
     * megabytes, some ten to twenty seconds of small images.
     */
    private static final long STALLED_GONE_MILLIS = 4 * GONE_MILLIS;
    private static final long WATCH_MILLIS = 10_000;

    private final int port;
    private final String camera;
    private final String token;
    private int failures;

    PageAttacks(int port, String camera, String token) {
        this.port = port;
        this.camera = camera;
        this.token = token;
    }

    public static void main(String[] args) throws Exception {
        PageAttacks attacks = new PageAttacks(Integer.parseInt(args[0]), args[1], args[2]);
        attacks.flood();
        attacks.slowHeaders();
        attacks.slowForm();
        attacks.hugeHeaders();
        attacks.paths();
        attacks.hosts();
        attacks.tokens();
        attacks.fuzz(Integer.parseInt(args[3]), Duration.ofSeconds(Long.parseLong(args[4])));
        attacks.check("afterwards a good client is answered",
                attacks.code(attacks.request("GET /healthz", "")) == 200);
        System.exit(attacks.failures == 0 ? 0 : 1);
    }

    private void check(String what, boolean held) {
        System.out.println((held ? "ok    " : "FAILED ") + what);
        failures += held ? 0 : 1;
    }

    /** Good clients watch alone, then beside many who take nothing and many who never finish a request. */
    private void flood() throws Exception {
        int alone = watch(null);
        List<Socket> stalled = new ArrayList<>();
        List<Socket> halfOpen = new ArrayList<>();
        AtomicLong connected = new AtomicLong();
        int beside = watch(() -> {
            for (int i = 0; i < STALLED; i++) {
                Socket socket = connect(2 + i % 4, 4096);
                socket.getOutputStream().write(head("GET /camera/" + camera + ".mjpeg", ""));
                stalled.add(socket);
            }
            for (int i = 0; i < HALF_OPEN; i++) {
                Socket socket = connect(6 + i % 4, 4096);
                socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: loc".getBytes(StandardCharsets.US_ASCII));
                halfOpen.add(socket);
            }
            connected.set(System.nanoTime());
            return stalled.size() + halfOpen.size();
        });
        check("flood: " + beside + " frames beside " + (STALLED + HALF_OPEN) + " bad clients, " + alone + " alone: "
                + Math.round(100.0 * beside / Math.max(1, alone)) + " %", beside >= 0.95 * alone && alone > 0);
        checkGone("unfinished requests", halfOpen, connected.get(), GONE_MILLIS);
        checkGone("clients that take nothing", stalled, connected.get(), STALLED_GONE_MILLIS);
    }

    private void checkGone(String what, List<Socket> sockets, long since, long millis) throws Exception {
        while (System.nanoTime() - since < Duration.ofMillis(millis).toNanos()) {
            Thread.sleep(50);
        }
        int left = 0;
        for (Socket socket : sockets) {
            left += isOpen(socket) ? 1 : 0;
        }
        check("flood: " + left + " of " + sockets.size() + " " + what + " are left after " + millis / 1000 + " s",
                left == 0);
    }

    /**
     * Whether the server still holds the connection. What it sent before is read away first; where that does not end,
     * it is sending still.
     */
    private static boolean isOpen(Socket socket) throws IOException {
        try (socket) {
            socket.setSoTimeout(300);
            byte[] buffer = new byte[1 << 16];
            int read = 0;
            long begin = System.nanoTime();
            while (read >= 0 && System.nanoTime() - begin < Duration.ofSeconds(2).toNanos()) {
                read = socket.getInputStream().read(buffer);
            }
            return read >= 0;
        } catch (SocketTimeoutException e) {
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** Images that a good client gets in some seconds; meanwhile something else happens. */
    private int watch(Callable<Integer> meanwhile) throws Exception {
        AtomicInteger images = new AtomicInteger();
        try (Socket socket = connect(1, 1 << 16)) {
            socket.setSoTimeout(200);
            socket.getOutputStream().write(head("GET /camera/" + camera + ".mjpeg", ""));
            long begin = System.nanoTime();
            Future<Integer> other = null;
            ExecutorService executor = Executors.newSingleThreadExecutor();
            if (meanwhile != null) {
                other = executor.submit(meanwhile);
            }
            byte[] mark = "Content-Type: image/jpeg".getBytes(StandardCharsets.US_ASCII);
            byte[] buffer = new byte[1 << 16];
            int matched = 0;
            while (System.nanoTime() - begin < Duration.ofMillis(WATCH_MILLIS).toNanos()) {
                int read;
                try {
                    read = socket.getInputStream().read(buffer);
                } catch (SocketTimeoutException e) {
                    continue;
                }
                if (read < 0) {
                    break;
                }
                for (int i = 0; i < read; i++) {
                    matched = buffer[i] == mark[matched] ? matched + 1 : buffer[i] == mark[0] ? 1 : 0;
                    if (matched == mark.length) {
                        images.incrementAndGet();
                        matched = 0;
                    }
                }
            }
            if (other != null) {
                other.get();
            }
            executor.shutdownNow();
        }
        return images.get();
    }

    /** A byte a second. */
    private void slowHeaders() throws Exception {
        byte[] head = head("GET /", "");
        check("slowloris is cut within 10 s", cutAfter(head, 0) <= GONE_MILLIS);
    }

    private void slowForm() throws Exception {
        byte[] head = ("POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000\r\n\r\n").getBytes(
                StandardCharsets.US_ASCII);
        check("a slow form is cut within 10 s", cutAfter(head, head.length) <= GONE_MILLIS);
    }

    /** Milliseconds until the server ends a connection on which bytes drip after those that come at once. */
    private long cutAfter(byte[] bytes, int atOnce) throws Exception {
        try (Socket socket = connect(10, 1 << 16)) {
            socket.setSoTimeout(1000);
            socket.getOutputStream().write(bytes, 0, atOnce);
            long begin = System.nanoTime();
            for (int i = atOnce; i < atOnce + 15; i++) {
                try {
                    if (socket.getInputStream().read() < 0) {
                        break;
                    }
                } catch (SocketTimeoutException e) {
                    // nothing was said: drip on
                } catch (IOException e) {
                    break;
                }
                try {
                    socket.getOutputStream().write(i < bytes.length ? bytes[i] : 'x');
                } catch (IOException e) {
                    break;
                }
            }
            return (System.nanoTime() - begin) / 1_000_000;
        }
    }

    private void hugeHeaders() throws Exception {
        for (String header : List.of("X: " + "y".repeat(1 << 20) + "\r\n", "X-1: y\r\n".repeat(10_000),
                "Cookie: shrike=" + "y".repeat(60_000) + "\r\n")) {
            String answer = request("GET /", header);
            check("headers of " + header.length() + " bytes: " + code(answer), code(answer) != 200);
        }
    }

    private void paths() throws Exception {
        Map<Integer, Integer> codes = new TreeMap<>();
        for (String path : List.of("/../../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
                "//etc/passwd", "/camera/../../etc/passwd.jpg", "/camera/..%00.jpg", "/.git/config", "/page.html",
                "/camera/" + camera + ".mjpeg/../../etc/shadow", "/api/state/..;/config", "/\\..\\..\\etc",
                "/etc/shrike/config.yaml", "file:///etc/passwd", "/camera/%2e%2e%2fx.jpg",
                "/%c0%ae%c0%ae/etc/passwd")) {
            String answer = request("GET " + path, "");
            codes.merge(code(answer), 1, Integer::sum);
            if (answer.contains("root:")) {
                check("path " + path + " gave a file", false);
            }
        }
        check("paths out of the page: codes " + codes, !codes.containsKey(200));
    }

    private void hosts() throws Exception {
        Map<Integer, Integer> codes = new TreeMap<>();
        for (String host : List.of("evil.example", "localhost.evil.example", "127.0.0.1.nip.example", "", "a b",
                "localhost@evil.example", "[::1].evil.example")) {
            String answer = raw(("GET /api/state HTTP/1.1\r\nHost: " + host + "\r\nAuthorization: Bearer " + token
                    + "\r\nConnection: close\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            codes.merge(code(answer), 1, Integer::sum);
        }
        check("other names of the host: codes " + codes, !codes.containsKey(200));
    }

    private void tokens() throws Exception {
        Map<Integer, Integer> codes = new TreeMap<>();
        for (String path : List.of("/", "/api/state", "/api/stream", "/metrics", "/healthz", "/camera/" + camera
                + ".jpg", "/camera/" + camera + ".mjpeg", "/anything")) {
            for (String header : List.of("", "Authorization: Bearer \r\n", "Authorization: Basic Og==\r\n",
                    "Authorization: Bearer " + token.substring(1) + "\r\n", "Cookie: shrike=" + token + "\r\n")) {
                String answer = raw(("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + header
                        + "Connection: close\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
                codes.merge(code(answer), 1, Integer::sum);
            }
        }
        check("without the token: codes " + codes, codes.keySet().equals(java.util.Set.of(401)));
    }

    /** Damaged requests without the token, on many connections at once. */
    private void fuzz(int count, Duration longest) throws Exception {
        byte[] sound = ("GET /api/state?a=b HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\n"
                + "Cookie: shrike=1; b=2\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc").getBytes(
                        StandardCharsets.US_ASCII);
        AtomicLong sent = new AtomicLong();
        AtomicInteger inside = new AtomicInteger();
        Map<Integer, Integer> codes = new TreeMap<>();
        long end = System.nanoTime() + longest.toNanos();
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 8; t++) {
            int first = t;
            Thread thread = new Thread(() -> {
                for (int seed = first; seed < count && System.nanoTime() < end; seed += 8) {
                    String answer = fuzzed(sound, new Random(seed), first);
                    sent.incrementAndGet();
                    int code = code(answer);
                    if (code == 200 || answer.contains("\"cameras\"")) {
                        inside.incrementAndGet();
                        System.out.println("seed " + seed + " got in: " + answer);
                    }
                    synchronized (codes) {
                        codes.merge(code, 1, Integer::sum);
                    }
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        check("fuzz: " + sent + " damaged requests, " + inside + " got in; codes (0: cut) " + codes,
                inside.get() == 0 && sent.get() > 0);
    }

    private String fuzzed(byte[] sound, Random random, int thread) {
        byte[] damaged = sound.clone();
        for (int i = random.nextInt(10); i >= 0; i--) {
            damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
        }
        int length = random.nextInt(8) == 0 ? random.nextInt(damaged.length) : damaged.length;
        try (Socket socket = connect(20 + thread, 1 << 16)) {
            socket.setSoTimeout(20);
            socket.getOutputStream().write(damaged, 0, length);
            socket.shutdownOutput();
            return read(socket.getInputStream());
        } catch (IOException e) {
            return "";
        }
    }

    private byte[] head(String line, String header) {
        return (line + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\n" + header
                + "Connection: close\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
    }

    private String request(String line, String header) {
        return raw(head(line, header));
    }

    private String raw(byte[] request) {
        try (Socket socket = connect(1, 1 << 16)) {
            socket.setSoTimeout(5000);
            socket.getOutputStream().write(request);
            return read(socket.getInputStream());
        } catch (IOException e) {
            return "";
        }
    }

    private static String read(InputStream in) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] buffer = new byte[4096];
        try {
            for (int read = in.read(buffer); read >= 0 && all.size() < 100_000; read = in.read(buffer)) {
                all.write(buffer, 0, read);
            }
        } catch (IOException e) {
            // what came is the answer
        }
        return all.toString(StandardCharsets.ISO_8859_1);
    }

    private int code(String answer) {
        return answer.matches("(?s)HTTP/1\\.[01] \\d{3}.*") ? Integer.parseInt(answer.substring(9, 12)) : 0;
    }

    /** From one of the loopback addresses, so that others have their own share of connections. */
    private Socket connect(int last, int receiveBuffer) throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(receiveBuffer);
        socket.bind(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, (byte) last}), 0));
        socket.connect(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port), 5000);
        return socket;
    }
}
