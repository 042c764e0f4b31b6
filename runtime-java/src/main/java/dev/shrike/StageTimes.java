package dev.shrike;

/**
 * How long each stage of one detection took, in nanoseconds of wall time. Of frames that one run of the network looked
 * at together, each has an equal share of its time.
 *
 * @param letterbox resizing, padding and normalising the frame into the network's input
 * @param network running the network
 * @param decode decoding the heads and non-maximum suppression
 */
public record StageTimes(long letterbox, long network, long decode) {
    /** All stages together. */
    public long total() {
        return letterbox + network + decode;
    }
}
