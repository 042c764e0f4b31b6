package dev.shrike.app.serve.config;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Keeps secrets out of what people see. */
public final class CredentialFilter {
    /** Shorter ones would blot out innocent words. */
    private static final int SHORTEST = 4;

    private static final String MASK = "***";
    private static final Pattern USER_INFO = Pattern.compile("([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\\s]*@");

    private static final Pattern PASSWORD = Pattern.compile("://[^/\\s:]*:([^/\\s]+)@");

    private final List<String> secrets;

    /** A filter for these secrets. */
    public CredentialFilter(Set<String> secrets) {
        this.secrets = secrets.stream().filter(secret -> secret.length() >= SHORTEST)
                .sorted(Comparator.comparingInt(String::length).reversed()).toList();
    }

    /** The text without the secrets, and without user and password in URIs. */
    public String apply(String text) {
        String clean = text;
        for (String secret : secrets) {
            clean = clean.replace(secret, MASK);
        }
        return withoutUserInfo(clean);
    }

    /** What stands for a password in a URI, as it is there and decoded. */
    static Set<String> inUserInfo(String text) {
        Set<String> found = new HashSet<>();
        Matcher matcher = PASSWORD.matcher(text);
        while (matcher.find()) {
            found.add(matcher.group(1));
            try {
                found.add(URLDecoder.decode(matcher.group(1), StandardCharsets.UTF_8));
            } catch (IllegalArgumentException e) {
                // Then it is not encoded.
            }
        }
        return found;
    }

    static String withoutUserInfo(String text) {
        return text.contains("@") ? USER_INFO.matcher(text).replaceAll("$1") : text;
    }
}
