package dev.shrike.app.serve.config;

import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** Keeps secrets out of what people see. */
public final class CredentialFilter {
    /** Shorter ones would blot out innocent words. */
    private static final int SHORTEST = 4;

    private static final String MASK = "***";
    private static final Pattern USER_INFO = Pattern.compile("([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\\s]*@");

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

    static String withoutUserInfo(String text) {
        return text.contains("@") ? USER_INFO.matcher(text).replaceAll("$1") : text;
    }
}
