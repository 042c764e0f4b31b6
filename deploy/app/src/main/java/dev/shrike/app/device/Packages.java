package dev.shrike.app.device;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Versions of installed Debian packages, by name. */
final class Packages {
    private final Map<String, String> versions = new TreeMap<>();

    /** From the text of dpkg's status file, a paragraph for each package. */
    Packages(String status) {
        String name = null;
        boolean installed = false;
        for (String line : (Iterable<String>) status.lines()::iterator) {
            if (line.isEmpty()) {
                name = null;
                installed = false;
            } else if (line.startsWith("Package: ")) {
                name = line.substring("Package: ".length()).strip();
            } else if (line.startsWith("Status: ")) {
                // Of removed packages that left their settings the file still has the version.
                installed = line.endsWith(" installed");
            } else if (line.startsWith("Version: ") && name != null && installed) {
                versions.put(name, line.substring("Version: ".length()).strip());
            }
        }
    }

    Optional<String> version(String name) {
        return Optional.ofNullable(versions.get(name));
    }
}
