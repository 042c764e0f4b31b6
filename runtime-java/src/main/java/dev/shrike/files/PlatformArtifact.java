package dev.shrike.files;

import java.util.List;
import java.util.Locale;

/** The artifact that brings the native libraries of a platform, to be named where one of them is missing. */
public final class PlatformArtifact {
    /** Platforms with native libraries, as in classifiers of artifacts. */
    private static final List<String> PLATFORMS = List.of("linux-x86_64", "linux-arm64");

    private PlatformArtifact() {}

    /** What to add so that native libraries are found here, or on which platforms there are any. */
    public static String advice() {
        return advice(System.getProperty("os.name"), System.getProperty("os.arch"));
    }

    /** The advice for an operating system and architecture by the names that Java has for them. */
    static String advice(String system, String architecture) {
        String platform = platform(system, architecture);
        if (!PLATFORMS.contains(platform)) {
            return "there are native libraries for " + String.join(" and ", PLATFORMS) + " alone, this is " + platform
                    + ": run it on one of those";
        }
        return "add the artifact dev.shrike:shrike-" + platform + " in the version of dev.shrike:shrike-runtime to the"
                + " class path; on the module path also start Java with --add-modules ALL-MODULE-PATH";
    }

    private static String platform(String system, String architecture) {
        String os = system.toLowerCase(Locale.ROOT);
        String processor = switch (architecture) {
            case "amd64", "x86_64" -> "x86_64";
            case "aarch64", "arm64" -> "arm64";
            default -> architecture;
        };
        return (os.startsWith("linux") ? "linux" : os.replaceAll("[^a-z0-9]", "")) + "-" + processor;
    }
}
