package dev.shrike.app.page;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The files of the page, each with everything in it, and what the browser may do with them. */
final class PageFiles {
    private static final Pattern SCRIPT = Pattern.compile("<script>(.*?)</script>", Pattern.DOTALL);
    private static final Pattern STYLE = Pattern.compile("<style>(.*?)</style>", Pattern.DOTALL);

    private final Body page = html(load("page.html"));
    private final Body login;
    private final Body loginAgain;

    PageFiles() {
        String form = load("login.html");
        login = html(form.replace("<!--message-->", ""));
        loginAgain = html(form.replace("<!--message-->", "<p role=\"alert\">That is not the token.</p>"));
    }

    /**
     * What is sent.
     *
     * @param type its media type
     * @param bytes its contents
     * @param policy what the browser may do beyond nothing
     */
    record Body(String type, byte[] bytes, String policy) {}

    Body page() {
        return page;
    }

    /** The form that asks for the token. */
    Body login(boolean again) {
        return again ? loginAgain : login;
    }

    static Body json(String json) {
        return new Body("application/json; charset=utf-8", json.getBytes(StandardCharsets.UTF_8), "");
    }

    static Body text(String text) {
        return new Body("text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8), "");
    }

    static Body metrics(String text) {
        return new Body("text/plain; version=0.0.4; charset=utf-8", text.getBytes(StandardCharsets.UTF_8), "");
    }

    /** Only the very scripts and styles in the file may run, so that nothing that is shown can become one. */
    private static Body html(String text) {
        return new Body("text/html; charset=utf-8", text.getBytes(StandardCharsets.UTF_8),
                "; img-src 'self' data:; connect-src 'self'; script-src" + hashes(SCRIPT, text) + "; style-src"
                        + hashes(STYLE, text));
    }

    private static String hashes(Pattern part, String text) {
        StringBuilder hashes = new StringBuilder();
        Matcher matcher = part.matcher(text);
        while (matcher.find()) {
            hashes.append(" 'sha256-").append(hash(matcher.group(1))).append('\'');
        }
        return hashes.isEmpty() ? " 'none'" : hashes.toString();
    }

    private static String hash(String text) {
        try {
            return Base64.getEncoder().encodeToString(
                    MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String load(String name) {
        try (InputStream in = PageFiles.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException(name + " is missing beside " + PageFiles.class.getName());
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
