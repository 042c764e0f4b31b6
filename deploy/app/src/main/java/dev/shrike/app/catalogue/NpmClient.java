package dev.shrike.app.catalogue;

import dev.shrike.ShrikeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The machine's own npm client, used for one thing: {@code npm pack NAME@VERSION}. Registry, proxy and credentials are
 * whatever the user's npm is set up with.
 *
 * @param executable name or path of the npm command
 * @param patience how long npm may go without a byte arriving before it is stopped
 */
record NpmClient(String executable, Duration patience) {
    private static final Duration DEFAULT_PATIENCE = Duration.ofMinutes(1);
    private static final long POLL_MILLIS = 200;
    private static final int MESSAGE_LIMIT = 400;
    /** Folder of npm's cache that grows though nothing arrives. */
    private static final String LOGS = "_logs";

    /** The npm of the command path. */
    static NpmClient ofPath() {
        return new NpmClient("npm", DEFAULT_PATIENCE);
    }

    /**
     * The verified tarball of a package, inside the folder.
     *
     * @param folder an empty folder that the caller owns
     * @throws ShrikeException if npm is missing, fails or stalls, or brings something else than was pinned
     * @throws IOException if the folder cannot be written or read
     */
    Path pack(NpmPackage wanted, Path folder, ProgressListener progress) throws IOException {
        Path npmCache = Files.createDirectory(folder.resolve("npm-cache"));
        Path errors = folder.resolve("npm.err");
        Process process = start(wanted, folder, npmCache, errors);
        // Told to end in the middle, this process must not leave npm running.
        Thread atExit = new Thread(() -> stop(process), "shrike-npm-stopper");
        Runtime.getRuntime().addShutdownHook(atExit);
        try {
            waitFor(process, wanted, npmCache, progress);
        } finally {
            stop(process);
            CacheFiles.forgetHook(atExit);
            progress.end();
        }
        if (process.exitValue() != 0) {
            throw failed(wanted, process.exitValue(), head(errors));
        }
        Path tarball = onlyTarball(folder, wanted);
        CacheFiles.deleteTree(npmCache);
        String actual = NpmPackage.integrityOf(CacheFiles.hash(tarball, "SHA-512"));
        if (!actual.equals(wanted.integrity())) {
            Files.delete(tarball);
            throw new ShrikeException("npm package " + wanted.specification() + " is not the one that was pinned and"
                    + " was thrown away: expected " + wanted.integrity() + ", got " + actual
                    + "; the registry that npm is set up with serves other content (`npm config get registry`)");
        }
        return tarball;
    }

    /**
     * npm gets a cache of its own inside the folder: what arrives can be watched, and nothing stays behind. It runs in
     * the folder too, so that a project file where the user stands does not change what it does.
     */
    private Process start(NpmPackage wanted, Path folder, Path npmCache, Path errors) throws IOException {
        List<String> command = List.of(executable, "pack", wanted.specification(), "--pack-destination",
                folder.toString(), "--cache", npmCache.toString(), "--ignore-scripts", "--no-update-notifier",
                "--no-fund", "--no-audit", "--loglevel=error", "--color=false", "--fetch-retries=2",
                "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=10000");
        try {
            return new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectOutput(folder.resolve("npm.out").toFile())
                    .redirectError(errors.toFile())
                    .start();
        } catch (IOException e) {
            throw cannotRun(wanted, e);
        }
    }

    private ShrikeException cannotRun(NpmPackage wanted, IOException e) {
        String message = String.valueOf(e.getMessage());
        // Java passes on the system's number: 2 is ENOENT.
        boolean missing = message.contains("error: 2 ") || message.contains("error=2,");
        String what = missing ? "'" + executable + "' is not installed" : "cannot run '" + executable + "': " + message;
        return new ShrikeException(
                what + "; it fetches " + wanted.specification() + ". Install it: sudo apt install npm", e);
    }

    private void waitFor(Process process, NpmPackage wanted, Path npmCache, ProgressListener progress) {
        String what = "fetching " + wanted.specification();
        long arrived = -1;
        long lastArrival = System.nanoTime();
        try {
            do {
                long now = CacheFiles.bytesBelow(npmCache, LOGS);
                if (now != arrived) {
                    arrived = now;
                    lastArrival = System.nanoTime();
                }
                progress.progress(what, Math.min(arrived, wanted.bytes()), wanted.bytes());
                if (System.nanoTime() - lastArrival > patience.toNanos()) {
                    throw new ShrikeException("npm brought nothing of " + wanted.specification() + " for "
                            + patience.toSeconds() + " s and was stopped; check the network and `npm config get"
                            + " registry`, `npm config get proxy`, and try again");
                }
            } while (!process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS));
            if (process.exitValue() == 0) {
                progress.progress(what, wanted.bytes(), wanted.bytes());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ShrikeException("interrupted while npm fetched " + wanted.specification(), e);
        }
    }

    private static void stop(Process process) {
        if (process.isAlive()) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    private static Path onlyTarball(Path folder, NpmPackage wanted) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> tarballs =
                    files.filter(file -> file.getFileName().toString().endsWith(".tgz")).toList();
            if (tarballs.size() != 1) {
                throw new ShrikeException("npm said that it packed " + wanted.specification() + " but left "
                        + tarballs.size() + " tarballs in " + folder);
            }
            return tarballs.getFirst();
        }
    }

    private static ShrikeException failed(NpmPackage wanted, int status, String errors) {
        String said = shorten(errors);
        String what = "npm could not fetch " + wanted.specification() + " (status " + status + "): ";
        if (containsAny(errors, "E404", "ETARGET")) {
            return new ShrikeException(what + "the registry that npm is set up with does not have that version: "
                    + said);
        }
        if (containsAny(errors, "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH",
                "EHOSTUNREACH", "ERR_SOCKET_TIMEOUT")) {
            return new ShrikeException(what + "the registry cannot be reached; check the network and"
                    + " `npm config get registry`: " + said);
        }
        if (containsAny(errors, "ENOSPC")) {
            return new ShrikeException(what + "the disk is full; free some space or set XDG_CACHE_HOME to a folder on"
                    + " another disk: " + said);
        }
        return new ShrikeException(what + said);
    }

    private static boolean containsAny(String text, String... codes) {
        return Stream.of(codes).anyMatch(text::contains);
    }

    /** npm's first lines of substance, without its prefixes, control characters and hints at log files. */
    static String shorten(String errors) {
        String joined = errors.lines()
                .map(line -> line.replaceAll("\u001B\\[[0-9;]*m", "").replaceAll("\\p{Cntrl}", " ").strip())
                .map(line -> line.replaceFirst("^npm (error|ERR!)\\s*", ""))
                .filter(line -> !line.isEmpty() && !line.startsWith("npm warn") && !line.startsWith("npm WARN"))
                .filter(line -> !line.contains("complete log of this run"))
                .filter(line -> !line.startsWith("syscall ") && !line.startsWith("errno "))
                .limit(4)
                .collect(Collectors.joining("; "));
        if (joined.isEmpty()) {
            return "npm gave no reason";
        }
        return joined.length() <= MESSAGE_LIMIT ? joined : joined.substring(0, MESSAGE_LIMIT) + "...";
    }

    private static String head(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return new String(in.readNBytes(1 << 14), StandardCharsets.UTF_8);
        }
    }
}
