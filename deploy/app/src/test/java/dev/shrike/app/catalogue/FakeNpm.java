package dev.shrike.app.catalogue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;

/** Shell scripts that stand where npm would, so that tests need neither npm nor a network. */
final class FakeNpm {
    private final Path script;

    private FakeNpm(Path script) {
        this.script = script;
    }

    /** An npm that packs a given file, as the real one does, and notes each run in a file beside itself. */
    static FakeNpm serving(Path folder, Path tarball) throws IOException {
        return of(folder, """
                while [ $# -gt 0 ]; do
                  case "$1" in
                    --pack-destination) target=$2; shift ;;
                    --cache) cache=$2; shift ;;
                    pack) specification=$2; shift ;;
                  esac
                  shift
                done
                echo "$specification" >> '%s/runs'
                mkdir -p "$cache/content"
                cp '%s' "$cache/content/part"
                cp '%s' "$target/package.tgz"
                echo package.tgz
                """.formatted(folder, tarball, tarball));
    }

    /** An npm that says this on standard error and fails. */
    static FakeNpm failing(Path folder, String message) throws IOException {
        Path text = Files.writeString(folder.resolve("message"), message);
        return of(folder, "cat '" + text + "' >&2\nexit 1\n");
    }

    static FakeNpm of(Path folder, String body) throws IOException {
        Path script = Files.writeString(folder.resolve("npm"), "#!/bin/sh\n" + body);
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        return new FakeNpm(script);
    }

    NpmClient client() {
        return new NpmClient(script.toString(), Duration.ofMinutes(1));
    }

    NpmClient client(Duration patience) {
        return new NpmClient(script.toString(), patience);
    }

    /** How often an npm that serves was run. */
    int runs() throws IOException {
        Path log = script.resolveSibling("runs");
        return Files.exists(log) ? Files.readAllLines(log).size() : 0;
    }
}
