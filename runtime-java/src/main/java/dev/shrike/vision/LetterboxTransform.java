package dev.shrike.vision;

/**
 * How a letterbox placed a frame in the network's input, and the way back.
 *
 * @param ratio pixels of the input per pixel of the frame
 * @param padX whole pixels of the input left of the frame. YOLOv5 leads back by half of the whole padding, which may
 * end
 *     in .5 where the image was put at a whole pixel; that moves its boxes by half a pixel and costs 0.2 points of
 *     mAP
 * @param padY whole pixels of the input above the frame
 * @param frameWidth width of the frame in pixels
 * @param frameHeight height of the frame in pixels
 */
public record LetterboxTransform(double ratio, int padX, int padY, int frameWidth, int frameHeight) {
    public LetterboxTransform {
        if (!(ratio > 0) || frameWidth <= 0 || frameHeight <= 0) {
            throw new IllegalArgumentException(
                    "letterbox of " + frameWidth + "x" + frameHeight + " with the ratio " + ratio);
        }
    }

    /** The transform for a frame in an input of the given size: {@code ratio = min(H / h, W / w)}. */
    public static LetterboxTransform of(int frameWidth, int frameHeight, int inputWidth, int inputHeight) {
        return of(frameWidth, frameHeight, inputWidth, inputHeight, Preprocessing.YOLO);
    }

    /** The same for a network that wants its images in this way. */
    public static LetterboxTransform of(
            int frameWidth, int frameHeight, int inputWidth, int inputHeight, Preprocessing how) {
        double ratio = Math.min((double) inputHeight / frameHeight, (double) inputWidth / frameWidth);
        return new LetterboxTransform(
                ratio,
                how.centred() ? before(inputWidth - how.inner(frameWidth, ratio, inputWidth)) : 0,
                how.centred() ? before(inputHeight - how.inner(frameHeight, ratio, inputHeight)) : 0,
                frameWidth,
                frameHeight);
    }

    /** The part of a padding that goes before the frame: half, of an odd one the smaller half, as in YOLOv5. */
    private static int before(int padding) {
        return padding / 2;
    }

    /** A horizontal position of the input in pixels of the frame, kept within the frame. */
    public float toFrameX(float x) {
        return clip((x - padX) / (float) ratio, frameWidth);
    }

    /** A vertical position of the input in pixels of the frame, kept within the frame. */
    public float toFrameY(float y) {
        return clip((y - padY) / (float) ratio, frameHeight);
    }

    private static float clip(float value, int size) {
        return Math.clamp(value, 0f, (float) size);
    }
}
