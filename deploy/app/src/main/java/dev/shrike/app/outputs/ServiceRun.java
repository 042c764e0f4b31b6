package dev.shrike.app.outputs;

import java.security.SecureRandom;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.Objects;

/**
 * One run of the service, whose id makes ids of tracks unique over restarts.
 *
 * @param id 8 hexadecimal digits
 */
public record ServiceRun(String id) {
    public ServiceRun {
        Objects.requireNonNull(id, "id");
        if (!id.matches("[0-9a-f]{8}")) {
            throw new IllegalArgumentException("a run's id is 8 hexadecimal digits, not " + id);
        }
    }

    /** A run with an id of its own. */
    public static ServiceRun begin() {
        byte[] bytes = new byte[4];
        new SecureRandom().nextBytes(bytes);
        return new ServiceRun(HexFormat.of().formatHex(bytes));
    }

    /** Id of an object: the same for all events of its track, never that of another object. */
    public String objectId(String camera, long track) {
        return id + "-" + camera + "-" + track;
    }

    /**
     * The wall clock's time of what happened at {@code nanos} of {@link System#nanoTime}, by the wall clock as it is
     * now: it may have been set since.
     */
    public static Instant wallTime(long nanos) {
        return Instant.now().minusNanos(System.nanoTime() - nanos).truncatedTo(ChronoUnit.MICROS);
    }
}
