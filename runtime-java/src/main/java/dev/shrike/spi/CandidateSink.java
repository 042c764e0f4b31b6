package dev.shrike.spi;

/** Takes the boxes that a detection network suggests, before non-maximum suppression. */
@FunctionalInterface
public interface CandidateSink {
    /**
     * Adds a box in pixels of the network's input.
     *
     * @param x its centre
     * @param y its centre
     * @param width its width; a negative one counts as 0
     * @param height its height; a negative one counts as 0
     * @param score 0 to 1
     * @param classId index of its class
     */
    void addCentred(float x, float y, float width, float height, float score, int classId);
}
