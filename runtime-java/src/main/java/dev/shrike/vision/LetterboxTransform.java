package dev.shrike.vision;

/**
 * How a letterbox placed a frame in the network's input, and the way back.
 *
 * @param ratio pixels of the input per pixel of the frame
 * @param padX pixels of the input left of the frame; may end in .5, as YOLOv5 takes half of the whole padding
 * @param padY pixels of the input above the frame
 * @param frameWidth width of the frame in pixels
 * @param frameHeight height of the frame in pixels
 */
public record LetterboxTransform(double ratio, double padX, double padY, int frameWidth, int frameHeight) {
    public LetterboxTransform {
        if (!(ratio > 0) || frameWidth <= 0 || frameHeight <= 0) {
            throw new IllegalArgumentException(
                    "letterbox of " + frameWidth + "x" + frameHeight + " with the ratio " + ratio);
        }
    }

    /** The transform for a frame in an input of the given size: {@code ratio = min(H / h, W / w)}. */
    public static LetterboxTransform of(int frameWidth, int frameHeight, int inputWidth, int inputHeight) {
        double ratio = Math.min((double) inputHeight / frameHeight, (double) inputWidth / frameWidth);
        return new LetterboxTransform(
                ratio,
                (inputWidth - frameWidth * ratio) / 2,
                (inputHeight - frameHeight * ratio) / 2,
                frameWidth,
                frameHeight);
    }

    /** A horizontal position of the input in pixels of the frame, kept within the frame. */
    public float toFrameX(float x) {
        return clip((x - (float) padX) / (float) ratio, frameWidth);
    }

    /** A vertical position of the input in pixels of the frame, kept within the frame. */
    public float toFrameY(float y) {
        return clip((y - (float) padY) / (float) ratio, frameHeight);
    }

    private static float clip(float value, int size) {
        return Math.clamp(value, 0f, (float) size);
    }
}
