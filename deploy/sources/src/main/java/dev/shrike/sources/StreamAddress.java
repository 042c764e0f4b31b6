package dev.shrike.sources;

import dev.shrike.SourceException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a stream is, and who asks for it.
 *
 * @param scheme in lower case
 * @param host name or address, IPv6 in brackets
 * @param port 0 for the scheme's own
 * @param path with its slash, and the query; empty if there is none
 * @param user empty if there is none
 * @param password empty if there is none
 */
record StreamAddress(String scheme, String host, int port, String path, String user, String password) {
    private static final Pattern HOST =
            Pattern.compile("(\\[[0-9A-Fa-f:.%a-z]+]|[\\p{L}\\p{N}._-]+)(?::([0-9]{1,5}))?");
    /** Names of values in queries and paths that nobody should see, as cheap cameras have them. */
    private static final Pattern SECRET = Pattern.compile(
            "(?i)((?:user|usr|username|login|account|pass|passwd|password|pwd|token|auth|key|apikey|api_key|secret)=)"
                    + "([^&;/?#]*?)(?=$|[&;/?#]|_[a-z]+=)");

    /**
     * The address in what follows {@code scheme://}. A password may have a raw {@code @}, and others may be written as
     * {@code %40}; a raw slash, question mark or number sign only where no other reading makes sense.
     *
     * @throws SourceException if it is none; the message has nothing of it
     */
    static StreamAddress parse(String scheme, String rest) {
        if (rest.chars().anyMatch(c -> c <= ' ' || c == 127)) {
            throw new SourceException(scheme + "://…: a URI has no blanks; write %20");
        }
        int end = end(rest, 0);
        int at = rest.lastIndexOf('@', end);
        if (at < 0 && rest.indexOf('@') >= 0 && !HOST.matcher(rest.substring(0, end)).matches()) {
            // No host, so these are user and password with a slash.
            at = rest.lastIndexOf('@');
            end = end(rest, at);
        } else if (rest.indexOf('@', end) >= 0) {
            throw new SourceException(scheme + "://…: an @ behind the host may be part of a password; give user and"
                    + " password as settings of their own, or write %40 for @ and %2F for /");
        }
        Matcher host = HOST.matcher(rest.substring(at + 1, end));
        if (!host.matches()) {
            throw new SourceException(scheme + "://…: host and port are not HOST or HOST:PORT; a password with"
                    + " unusual characters is best a setting of its own");
        }
        int port = host.group(2) == null ? 0 : Integer.parseInt(host.group(2));
        if (port > 65535) {
            throw new SourceException(scheme + "://" + host.group(1) + ": port " + port + " is above 65535");
        }
        String info = at < 0 ? "" : rest.substring(0, at);
        int colon = info.indexOf(':');
        return new StreamAddress(scheme, host.group(1), port, rest.substring(end),
                decoded(colon < 0 ? info : info.substring(0, colon)),
                colon < 0 ? "" : decoded(info.substring(colon + 1)));
    }

    private static int end(String text, int from) {
        for (int i = from; i < text.length(); i++) {
            if ("/?#".indexOf(text.charAt(i)) >= 0) {
                return i;
            }
        }
        return text.length();
    }

    /** The same with the user and password of the options, if there are any. */
    StreamAddress with(SourceOptions options) {
        return options.user().isEmpty()
                ? this
                : new StreamAddress(scheme, host, port, path, options.user(), options.password());
    }

    /** What people may see: no user, no password, none in the query. */
    String name() {
        return scheme + "://" + host + (port == 0 ? "" : ":" + port) + SECRET.matcher(path).replaceAll("$1***");
    }

    /** The port, the scheme's own if none is given. */
    int portOrDefault() {
        return port != 0 ? port : switch (scheme) {
            case "rtsp" -> 554;
            case "rtsps" -> 322;
            case "rtmp" -> 1935;
            case "https" -> 443;
            default -> 80;
        };
    }

    /** The whole URI with credentials, for FFmpeg alone. */
    String secretUri() {
        String info = user.isEmpty() ? "" : encoded(user) + ":" + encoded(password) + "@";
        return scheme + "://" + info + host + (port == 0 ? "" : ":" + port) + path;
    }

    /** Texts that must not be seen, longest first. */
    List<String> secrets() {
        Set<String> secrets = new LinkedHashSet<>();
        if (!user.isEmpty()) {
            secrets.addAll(List.of(encoded(user) + ":" + encoded(password), user + ":" + password, encoded(password),
                    password));
        }
        Matcher values = SECRET.matcher(path);
        while (values.find()) {
            secrets.add(values.group(2));
        }
        List<String> sorted = new ArrayList<>(secrets.stream().filter(secret -> !secret.isEmpty()).toList());
        sorted.sort((a, b) -> b.length() - a.length());
        return sorted;
    }

    @Override
    public String toString() {
        return name();
    }

    private static String encoded(String text) {
        StringBuilder result = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            if (c < 128 && (Character.isLetterOrDigit(c) || "-._~".indexOf(c) >= 0)) {
                result.append(c);
            } else {
                result.append(String.format("%%%02X", (int) c));
            }
        }
        return result.toString();
    }

    /** A per cent sign that begins no escape stands for itself. */
    private static String decoded(String text) {
        byte[] raw = text.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(raw.length);
        for (int i = 0; i < raw.length; i++) {
            int high = raw[i] == '%' && i + 2 < raw.length ? Character.digit(raw[i + 1], 16) : -1;
            int low = high < 0 ? -1 : Character.digit(raw[i + 2], 16);
            if (low >= 0) {
                bytes.put((byte) (high << 4 | low));
                i += 2;
            } else {
                bytes.put(raw[i]);
            }
        }
        return StandardCharsets.UTF_8.decode(bytes.flip()).toString();
    }
}
