package dev.shrike.cpu.binding;

import dev.shrike.BackendUnavailableException;
import dev.shrike.files.PlatformArtifact;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;

/**
 * Finds {@code libshrike.so}, and the libraries that lie beside it: where the system property
 * {@code shrike.library.path} says (the file itself, or a folder that holds it, or one that holds
 * {@code lib/linux-<arch>/}), else in the jar, from where it is unpacked to a temporary file for the time of loading.
 */
public final class NativeLoader {
    static final String PATH_PROPERTY = "shrike.library.path";
    private static final String FILE = "libshrike.so";
    private static final List<String> PLATFORMS = List.of("linux-x86_64", "linux-aarch64");

    private NativeLoader() {}

    /** The symbols of {@code libshrike.so}, loaded for the rest of the process. */
    public static SymbolLookup load() {
        return load(FILE);
    }

    /** The symbols of a library that lies where {@code libshrike.so} does. */
    public static SymbolLookup load(String name) {
        String given = System.getProperty(PATH_PROPERTY);
        if (given != null && !given.isBlank()) {
            return open(locate(Path.of(given), name));
        }
        return loadFromJar(name);
    }

    /** Name of this platform as in {@code lib/<platform>/}. */
    public static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        String name =
                switch (arch) {
                    case "amd64", "x86_64" -> "x86_64";
                    case "aarch64", "arm64" -> "aarch64";
                    default -> arch;
                };
        return (os.startsWith("linux") ? "linux" : os.replaceAll("[^a-z0-9]", "")) + "-" + name;
    }

    private static Path locate(Path given, String name) {
        Path folder = Files.isRegularFile(given) && !name.equals(FILE) ? given.resolveSibling(name) : given;
        Path[] places = {folder, given.resolve(name), given.resolve("lib").resolve(platform()).resolve(name)};
        for (Path place : places) {
            if (Files.isRegularFile(place)) {
                return place.toAbsolutePath();
            }
        }
        throw new BackendUnavailableException("no " + name + " at " + given + " (from the property " + PATH_PROPERTY
                + "); point it at the file, or at the folder with lib/" + platform() + "/" + name);
    }

    private static SymbolLookup open(Path file) {
        try {
            return SymbolLookup.libraryLookup(file, Arena.global());
        } catch (IllegalArgumentException e) {
            throw new BackendUnavailableException(file + " does not load: " + e.getMessage()
                    + "; is it built for " + platform() + "?", e);
        }
    }

    /** Says whose library is there instead. */
    private static String others() {
        StringBuilder found = new StringBuilder();
        for (String platform : PLATFORMS) {
            if (NativeLoader.class.getClassLoader().getResource("lib/" + platform + "/" + FILE) != null) {
                found.append(", only that of ").append(platform);
            }
        }
        return found.toString();
    }

    private static SymbolLookup loadFromJar(String name) {
        String resource = "lib/" + platform() + "/" + name;
        try (InputStream in = NativeLoader.class.getClassLoader().getResourceAsStream(resource)) {
            if (in == null) {
                throw new BackendUnavailableException("no " + resource + " on the class or module path" + others()
                        + ": " + PlatformArtifact.advice() + "; or set the property " + PATH_PROPERTY);
            }
            Path file = Files.createTempFile(name.replace(".so", ""), ".so");
            try {
                Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
                return open(file);
            } finally {
                // The mapping outlives the name.
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new BackendUnavailableException("cannot unpack " + resource + " to "
                    + System.getProperty("java.io.tmpdir") + ": " + e.getMessage() + "; free space there, point"
                    + " java.io.tmpdir elsewhere, or set the property " + PATH_PROPERTY, e);
        }
    }
}
