package dev.shrike.app.serve.config;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Puts in what stands for secrets in a configuration: <code>{NAME}</code> is the variable of that name in the
 * environment, or a credential of that name that systemd passes ({@code LoadCredential}). <code>{{NAME}}</code> is the
 * text <code>{NAME}</code> itself.
 */
final class Placeholders {
    private static final Pattern FORM = Pattern.compile("\\{\\{[A-Z_][A-Z0-9_]*}}|\\{([A-Z_][A-Z0-9_]*)}");
    private static final int MOST_BYTES = 1 << 16;

    private final Map<String, String> environment;
    private final Set<String> secrets = new LinkedHashSet<>();

    Placeholders(Map<String, String> environment) {
        this.environment = environment;
    }

    /**
     * The text with the values of its variables.
     *
     * @throws ConfigException if there is no such variable; names it, and never a value
     */
    String resolve(String text, Position at) {
        Matcher matcher = FORM.matcher(text);
        StringBuilder resolved = new StringBuilder();
        while (matcher.find()) {
            String name = matcher.group(1);
            String replacement;
            if (name == null) {
                replacement = matcher.group().substring(1, matcher.group().length() - 1);
            } else {
                replacement = find(name).orElseThrow(() -> new ConfigException(at + ": {" + name
                        + "} stands for a variable of the environment that is not set; set it, for a service in"
                        + " /etc/shrike/environment"));
                secrets.add(replacement);
            }
            matcher.appendReplacement(resolved, Matcher.quoteReplacement(replacement));
        }
        return matcher.appendTail(resolved).toString();
    }

    /** All values that were put in. */
    Set<String> secrets() {
        return Set.copyOf(secrets);
    }

    private Optional<String> find(String name) {
        String value = environment.get(name);
        if (value != null) {
            return Optional.of(value);
        }
        String folder = environment.get("CREDENTIALS_DIRECTORY");
        if (folder == null) {
            return Optional.empty();
        }
        // The pattern of names leaves no way out of the folder.
        Path file = Path.of(folder, name);
        try {
            if (!Files.isRegularFile(file) || Files.size(file) > MOST_BYTES) {
                return Optional.empty();
            }
            return Optional.of(Files.readString(file, StandardCharsets.UTF_8).strip());
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
