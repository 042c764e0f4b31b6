import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Takes screenshots of the service's page with headless Chromium and lists what its console says:
 * {@code java tools/PageShots.java URL FOLDER NAME:WIDTHxHEIGHT[:dark] ...}. Ends with 1 if there was an error.
 */
public class PageShots implements WebSocket.Listener {
    private static final Pattern DATA = Pattern.compile("\"data\":\"([A-Za-z0-9+/=]+)\"");
    private static final long SETTLE_MILLIS = 8000;

    private final StringBuilder part = new StringBuilder();
    private final LinkedBlockingQueue<String> answers = new LinkedBlockingQueue<>();
    private final List<String> console = Collections.synchronizedList(new ArrayList<>());
    private int number;

    public static void main(String[] args) throws Exception {
        Path profile = Files.createTempDirectory("page-shots");
        Process browser = new ProcessBuilder("chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
                "--hide-scrollbars", "--remote-debugging-port=0", "--user-data-dir=" + profile, "about:blank")
                .redirectErrorStream(true).redirectOutput(new File(profile.toFile(), "log")).start();
        int exit = 1;
        try {
            PageShots shots = new PageShots();
            shots.take(shots.connect(profile), args);
            shots.console.forEach(System.out::println);
            System.out.println(shots.console.size() + " console errors");
            exit = shots.console.isEmpty() ? 0 : 1;
        } finally {
            browser.destroy();
        }
        System.exit(exit);
    }

    private WebSocket connect(Path profile) throws Exception {
        Path portFile = profile.resolve("DevToolsActivePort");
        for (int i = 0; i < 300 && !Files.exists(portFile); i++) {
            Thread.sleep(100);
        }
        Thread.sleep(500);
        String port = Files.readAllLines(portFile).get(0);
        HttpClient client = HttpClient.newHttpClient();
        URI list = URI.create("http://127.0.0.1:" + port + "/json/list");
        String pages = client.send(HttpRequest.newBuilder(list).build(),
                HttpResponse.BodyHandlers.ofString()).body();
        Matcher matcher = Pattern.compile("\"webSocketDebuggerUrl\": \"(ws:[^\"]*/page/[^\"]*)\"").matcher(pages);
        if (!matcher.find()) {
            throw new IOException("no page in " + pages);
        }
        return client.newWebSocketBuilder().buildAsync(URI.create(matcher.group(1)), this).join();
    }

    private void take(WebSocket socket, String[] args) throws Exception {
        ask(socket, "Log.enable", "{}");
        ask(socket, "Runtime.enable", "{}");
        ask(socket, "Page.enable", "{}");
        for (int i = 2; i < args.length; i++) {
            String[] parts = args[i].split("[:x]");
            ask(socket, "Emulation.setDeviceMetricsOverride", "{\"width\":" + parts[1] + ",\"height\":" + parts[2]
                    + ",\"deviceScaleFactor\":1,\"mobile\":" + (Integer.parseInt(parts[1]) < 600) + "}");
            ask(socket, "Emulation.setEmulatedMedia", "{\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\""
                    + (parts.length > 3 ? "dark" : "light") + "\"}]}");
            ask(socket, "Page.navigate", "{\"url\":\"" + args[0] + "\"}");
            Thread.sleep(SETTLE_MILLIS);
            Matcher data = DATA.matcher(ask(socket, "Page.captureScreenshot", "{\"format\":\"png\"}"));
            if (!data.find()) {
                throw new IOException("no screenshot");
            }
            Files.write(Path.of(args[1], parts[0] + ".png"), Base64.getDecoder().decode(data.group(1)));
        }
    }

    private String ask(WebSocket socket, String method, String parameters) throws Exception {
        int id = ++number;
        socket.sendText("{\"id\":" + id + ",\"method\":\"" + method + "\",\"params\":" + parameters + "}", true).join();
        while (true) {
            String answer = answers.poll(60, TimeUnit.SECONDS);
            if (answer == null) {
                throw new IOException("no answer to " + method);
            }
            if (answer.startsWith("{\"id\":" + id + ",")) {
                return answer;
            }
        }
    }

    @Override
    public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
        part.append(data);
        if (last) {
            String message = part.toString();
            part.setLength(0);
            boolean error = message.contains("\"method\":\"Log.entryAdded\"") && message.contains("\"level\":\"error\"")
                    || message.contains("\"method\":\"Runtime.exceptionThrown\"")
                    || message.contains("\"method\":\"Runtime.consoleAPICalled\"");
            if (error) {
                console.add(message.substring(0, Math.min(500, message.length())));
            } else {
                answers.add(message);
            }
        }
        socket.request(1);
        return null;
    }
}
