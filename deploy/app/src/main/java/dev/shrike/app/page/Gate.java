package dev.shrike.app.page;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Who may come in: by the name that is called, by the token, and by how many of one address are in already. */
final class Gate {
    private static final String COOKIE = "shrike";
    private static final Pattern HOST = Pattern.compile("(\\[[0-9a-fA-F:.]{2,45}]|[A-Za-z0-9._-]{1,253})(:\\d{1,5})?");
    private static final Pattern ADDRESS = Pattern.compile("(\\d{1,3}\\.){3}\\d{1,3}|\\[.*]");

    private final Set<String> names = new HashSet<>();
    private final byte[] token;
    private final byte[] session;
    private final int perAddress;
    private final ConcurrentMap<InetAddress, Integer> inside = new ConcurrentHashMap<>();

    Gate(PageSettings settings) {
        names.add("localhost");
        hostName().ifPresent(name -> {
            names.add(name);
            names.add(name + ".local");
        });
        settings.hosts().forEach(name -> names.add(name.toLowerCase(Locale.ROOT)));
        token = settings.token().isEmpty() ? new byte[0] : digest(settings.token());
        session = settings.token().isEmpty() ? new byte[0] : digest(sessionValue(settings.token()));
        perAddress = settings.perAddress();
    }

    private static Optional<String> hostName() {
        try {
            String name = Files.readString(Path.of("/proc/sys/kernel/hostname")).strip().toLowerCase(Locale.ROOT);
            return name.matches("[a-z0-9._-]{1,253}") ? Optional.of(name) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /**
     * Whether the request calls the page by a name of its own. A page elsewhere whose name was made to mean this
     * machine (DNS rebinding) calls it by that name; an address cannot be made to mean another.
     */
    boolean knows(Headers headers) {
        List<String> hosts = headers.get("Host");
        if (hosts == null || hosts.size() != 1) {
            return false;
        }
        Matcher matcher = HOST.matcher(hosts.getFirst());
        if (!matcher.matches()) {
            return false;
        }
        String name = matcher.group(1).toLowerCase(Locale.ROOT);
        return ADDRESS.matcher(name).matches() || names.contains(name.endsWith(".")
                ? name.substring(0, name.length() - 1) : name);
    }

    /** Whether a form was sent by a page of this server, if the browser says where it was sent from. */
    boolean sameOrigin(Headers headers) {
        String origin = headers.getFirst("Origin");
        return origin == null || origin.equals("http://" + headers.getFirst("Host"))
                || origin.equals("https://" + headers.getFirst("Host"));
    }

    /** Whether the request has the token, or there is none; takes the same time whatever it has. */
    boolean admits(Headers headers) {
        if (token.length == 0) {
            return true;
        }
        String authorization = Optional.ofNullable(headers.getFirst("Authorization")).orElse("");
        String bearer = authorization.regionMatches(true, 0, "Bearer ", 0, 7) ? authorization.substring(7).strip() : "";
        boolean byToken = MessageDigest.isEqual(token, digest(bearer));
        boolean byCookie = MessageDigest.isEqual(session, digest(cookie(headers)));
        return byToken | byCookie;
    }

    private static String cookie(Headers headers) {
        for (String line : headers.getOrDefault("Cookie", List.of())) {
            for (String part : line.split(";")) {
                if (part.strip().startsWith(COOKIE + "=")) {
                    return part.strip().substring(COOKIE.length() + 1);
                }
            }
        }
        return "";
    }

    /** The cookie for somebody who knows the token, if that is it. The token itself is not in it. */
    Optional<String> cookieFor(String given) {
        return token.length > 0 && MessageDigest.isEqual(token, digest(given))
                ? Optional.of(COOKIE + "=" + sessionValue(given)
                        + "; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000")
                : Optional.empty();
    }

    private static String sessionValue(String token) {
        return HexFormat.of().formatHex(digest("shrike page session " + token));
    }

    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Lets one more of that address in, unless too many are; every true needs a {@link #leave}. */
    boolean enter(HttpExchange exchange) {
        InetAddress address = exchange.getRemoteAddress().getAddress();
        boolean[] entered = new boolean[1];
        inside.compute(address, (_, count) -> {
            int now = count == null ? 0 : count;
            entered[0] = now < perAddress;
            return entered[0] ? Integer.valueOf(now + 1) : count;
        });
        return entered[0];
    }

    void leave(HttpExchange exchange) {
        inside.computeIfPresent(exchange.getRemoteAddress().getAddress(),
                (_, count) -> count <= 1 ? null : Integer.valueOf(count - 1));
    }
}
