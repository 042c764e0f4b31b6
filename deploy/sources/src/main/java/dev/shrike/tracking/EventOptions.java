package dev.shrike.tracking;

/**
 * When {@link TrackEvents} tells of a track.
 *
 * @param hits frames that an object must be detected in before there is any event of it
 * @param change an update is due when the centre or a side of the box has changed by this share of the box since the
 *     last event, or its class has
 * @param updateSeconds least time between two updates
 * @param repeatSeconds time after which there is an update without any change; 0 for never
 */
public record EventOptions(int hits, double change, double updateSeconds, double repeatSeconds) {
    /** From the third frame on; a quarter of the box; twice a second at most; once a minute at least. */
    public static final EventOptions DEFAULT = new EventOptions(3, .25, .5, 60);

    /** @throws IllegalArgumentException if a value is out of its bounds */
    public EventOptions {
        if (hits < 1) {
            throw new IllegalArgumentException("hits " + hits + " is not positive");
        }
        if (!(change > 0 && change <= 100)) {
            throw new IllegalArgumentException("change " + change + " is not above 0 and up to 100");
        }
        TrackerOptions.requireSeconds("updateSeconds", updateSeconds);
        if (!(repeatSeconds >= 0 && repeatSeconds <= 1e6)) {
            throw new IllegalArgumentException("repeatSeconds " + repeatSeconds + " is not within 0 and 1000000");
        }
    }
}
