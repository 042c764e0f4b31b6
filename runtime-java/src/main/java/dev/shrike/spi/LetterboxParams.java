package dev.shrike.spi;

/**
 * Where a part of a frame goes in a network's input, and what its bytes become there. The part is resized to the inner
 * rectangle bilinearly as OpenCV's {@code resize} does, in fixed point with 11 bits, pixel centres aligned and edges
 * repeated, after it became BGR by the formula of {@link dev.shrike.PixelFormat}; all around is filled.
 *
 * @param regionX left edge of the part in pixels of the frame
 * @param regionY top edge
 * @param regionWidth width of the part
 * @param regionHeight height of the part
 * @param left columns of the input left of the inner rectangle
 * @param top rows of the input above it
 * @param width columns of the inner rectangle
 * @param height rows of it
 * @param redFirst whether the channels are red, green, blue, or blue, green, red
 * @param scale what a byte is multiplied with
 * @param fill what is written around the inner rectangle
 */
public record LetterboxParams(int regionX, int regionY, int regionWidth, int regionHeight, int left, int top, int width,
        int height, boolean redFirst, float scale, float fill) {
    public LetterboxParams {
        if (regionX < 0 || regionY < 0 || regionWidth < 1 || regionHeight < 1 || left < 0 || top < 0 || width < 1
                || height < 1) {
            throw new IllegalArgumentException("letterbox of " + regionWidth + "x" + regionHeight + " at " + regionX
                    + ", " + regionY + " into " + width + "x" + height + " at " + left + ", " + top);
        }
    }
}
