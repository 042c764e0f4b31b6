package dev.shrike.app.serve.systemd;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Tells systemd, or whoever else started the service with {@code NOTIFY_SOCKET}, how it does. Without that variable
 * nothing is told. Use from any thread; no call waits or fails: what cannot be told is kept as {@link #trouble}.
 *
 * @see <a href="https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html">sd_notify(3)</a>
 */
public final class Supervisor {
    private static final int MOST_STATUS = 512;

    private final String address;
    private final UnixDatagram datagrams;
    private final Optional<Duration> watchdog;
    private volatile String trouble = "";
    private String lastStatus = "";

    /** For the process with this environment and number. */
    public Supervisor(Map<String, String> environment, long process) {
        String socket = environment.getOrDefault("NOTIFY_SOCKET", "");
        UnixDatagram bound = null;
        if (!socket.isEmpty()) {
            try {
                bound = new UnixDatagram();
            } catch (RuntimeException | LinkageError e) {
                trouble = "systemd cannot be told how the service does: " + e;
            }
        }
        address = bound == null ? "" : socket;
        datagrams = bound;
        watchdog = bound == null ? Optional.empty() : watchdog(environment, process);
    }

    private static Optional<Duration> watchdog(Map<String, String> environment, long process) {
        String micros = environment.getOrDefault("WATCHDOG_USEC", "");
        String meant = environment.getOrDefault("WATCHDOG_PID", Long.toString(process));
        return micros.matches("[1-9]\\d{0,17}") && meant.equals(Long.toString(process))
                ? Optional.of(Duration.ofNanos(Math.multiplyExact(Math.min(Long.parseLong(micros), 1L << 50), 1000L)))
                : Optional.empty();
    }

    /** How soon the watchdog must be fed again, if there is one. */
    public Optional<Duration> watchdog() {
        return watchdog;
    }

    /** Why the supervisor cannot be told; empty if it can, or if there is none. */
    public String trouble() {
        return trouble;
    }

    /** The service does its work from here on. */
    public void ready(String status) {
        lastStatus = shortened(status);
        send("READY=1\nSTATUS=" + lastStatus);
    }

    /** How the service does, for {@code systemctl status}; told only if it changed. */
    public synchronized void status(String status) {
        String text = shortened(status);
        if (!text.equals(lastStatus)) {
            lastStatus = text;
            send("STATUS=" + text);
        }
    }

    /** The service makes progress. */
    public void alive() {
        if (watchdog.isPresent()) {
            send("WATCHDOG=1");
        }
    }

    /** Starting takes that much longer from now on. */
    public void extend(Duration time) {
        send("EXTEND_TIMEOUT_USEC=" + time.toNanos() / 1000);
    }

    /** The configuration is read again; {@link #ready} must follow, else systemd allows no further reload. */
    public void reloading() {
        // systemd compares it with CLOCK_MONOTONIC, which is what nanoTime is on Linux.
        send("RELOADING=1\nMONOTONIC_USEC=" + System.nanoTime() / 1000);
    }

    /** The service ends now. */
    public void stopping(String status) {
        send("STOPPING=1\nSTATUS=" + shortened(status));
    }

    private static String shortened(String status) {
        String line = status.replaceAll("[\\p{Cntrl}]+", " ").strip();
        return line.length() > MOST_STATUS ? line.substring(0, MOST_STATUS) : line;
    }

    private void send(String message) {
        if (datagrams == null) {
            return;
        }
        try {
            datagrams.send(address, message);
            trouble = "";
        } catch (IOException e) {
            trouble = "systemd cannot be told how the service does: " + e.getMessage();
        }
    }
}
