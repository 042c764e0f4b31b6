package dev.shrike.tracking;

/**
 * How {@link ByteTracker} follows objects.
 *
 * @param highScore detections from this score on are matched first
 * @param lowScore detections below {@code highScore} and from this score on continue tracks that nothing better was
 *     found for; those below are ignored. The detector must be asked for them: its threshold has to be this low
 * @param newScore detections from this score on begin a track
 * @param lostSeconds how long a track lives without a detection
 * @param confirmHits frames that an object must be detected in before it is a track
 * @param confirmSeconds an object that is no track yet is forgotten with the first frame without it that is this long
 *     or longer after its last detection
 * @param acrossClasses whether a track may be continued by detections of another class, as where a model takes one
 *     vehicle for a car now and for a truck then; the label of the track is that of most of them
 */
public record TrackerOptions(double highScore, double lowScore, double newScore, double lostSeconds, int confirmHits,
        double confirmSeconds, boolean acrossClasses) {
    /** Thresholds of the paper; lost for 1 s, which is its 30 frames; a track from the second frame on. */
    public static final TrackerOptions DEFAULT = new TrackerOptions(.5, .1, .6, 1, 2, .1, false);

    /** Longest lifetime without a detection: an hour. */
    public static final double MOST_SECONDS = 3600;

    /** @throws IllegalArgumentException if a value is out of its bounds or the thresholds are out of order */
    public TrackerOptions {
        if (!(lowScore >= 0 && highScore >= lowScore && newScore >= highScore && newScore <= 1)) {
            throw new IllegalArgumentException("scores must be 0 <= low <= high <= new <= 1, not " + lowScore + ", "
                    + highScore + ", " + newScore);
        }
        requireSeconds("lostSeconds", lostSeconds);
        requireSeconds("confirmSeconds", confirmSeconds);
        if (confirmHits < 1) {
            throw new IllegalArgumentException("confirmHits " + confirmHits + " is not positive");
        }
    }

    static void requireSeconds(String name, double seconds) {
        if (!(seconds >= 0 && seconds <= MOST_SECONDS)) {
            throw new IllegalArgumentException(name + " " + seconds + " is not within 0 and " + MOST_SECONDS);
        }
    }

    /** The same with another lifetime without a detection. */
    public TrackerOptions withLostSeconds(double seconds) {
        return new TrackerOptions(highScore, lowScore, newScore, seconds, confirmHits, confirmSeconds, acrossClasses);
    }

    /** The same with another number of frames before an object is a track. */
    public TrackerOptions withConfirmHits(int hits) {
        return new TrackerOptions(highScore, lowScore, newScore, lostSeconds, hits, confirmSeconds, acrossClasses);
    }

    /** The same with tracks that may change their class, or may not. */
    public TrackerOptions withAcrossClasses(boolean across) {
        return new TrackerOptions(highScore, lowScore, newScore, lostSeconds, confirmHits, confirmSeconds, across);
    }

    /** The same with other thresholds. */
    public TrackerOptions withScores(double high, double low, double begin) {
        return new TrackerOptions(high, low, begin, lostSeconds, confirmHits, confirmSeconds, acrossClasses);
    }
}
