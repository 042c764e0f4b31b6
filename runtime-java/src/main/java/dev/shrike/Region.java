package dev.shrike;

/**
 * A rectangle of whole pixels in a frame: a region of interest.
 *
 * @param x left edge, from 0
 * @param y top edge, from 0
 * @param width in pixels, at least 1
 * @param height in pixels, at least 1
 */
public record Region(int x, int y, int width, int height) {
    public Region {
        if (x < 0 || y < 0 || width < 1 || height < 1 || (long) x + width > Integer.MAX_VALUE
                || (long) y + height > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "region of interest of " + width + "x" + height + " pixels at " + x + ", " + y);
        }
    }

    /**
     * Returns if the region lies in a frame of this size.
     *
     * @throws IllegalArgumentException otherwise; names both
     */
    void requireWithin(int frameWidth, int frameHeight) {
        if (x + width > frameWidth || y + height > frameHeight) {
            throw new IllegalArgumentException("the region of interest of " + width + "x" + height + " pixels at " + x
                    + ", " + y + " reaches out of a frame of " + frameWidth + "x" + frameHeight);
        }
    }
}
