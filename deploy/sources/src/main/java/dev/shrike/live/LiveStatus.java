package dev.shrike.live;

/**
 * What a {@link LiveDetector} has done since it was started.
 *
 * @param captured frames that the source gave
 * @param detected frames that the detector ran
 * @param dropped frames that were replaced by newer ones before the detector was free
 * @param failed frames on which the detector failed
 * @param ageNanos age of the last result: from the capture of its frame to the end of its detection; 0 if there is none
 * @param running whether its threads still run
 */
public record LiveStatus(long captured, long detected, long dropped, long failed, long ageNanos, boolean running) {}
