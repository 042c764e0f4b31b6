package dev.shrike.cpu.binding;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** The text of the C headers, for comparing what is declared on both sides. */
public final class NativeHeaders {
    private static final Path FOLDER = Path.of("../../native/include");
    private static final Pattern INCLUDE = Pattern.compile("(?m)^#include \"(shrike/.*)\"$");

    private NativeHeaders() {}

    /** All that including {@code shrike.h} declares: that header and those which it includes. */
    public static String shrike() throws IOException {
        String umbrella = Files.readString(FOLDER.resolve("shrike.h"));
        List<String> names = INCLUDE.matcher(umbrella).results().map(match -> match.group(1)).toList();
        StringBuilder text = new StringBuilder(umbrella);
        for (String name : names) {
            text.append(Files.readString(FOLDER.resolve(name)));
        }
        return text.toString();
    }

    static String acl() throws IOException {
        return Files.readString(FOLDER.resolve("shrike_acl.h"));
    }
}
