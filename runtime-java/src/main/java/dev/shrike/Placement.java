package dev.shrike;

import dev.shrike.spi.LetterboxParams;
import dev.shrike.vision.LetterboxTransform;
import dev.shrike.vision.Preprocessing;

/** Where a frame of one size, or a region of it, goes in the input. */
record Placement(int frameWidth, int frameHeight, Region region, LetterboxTransform transform,
        LetterboxParams params) {
    static Placement of(Frame frame, Region region, Preprocessing how, int inputWidth, int inputHeight) {
        LetterboxTransform transform = region == null
                ? LetterboxTransform.of(frame.width(), frame.height(), inputWidth, inputHeight, how)
                : LetterboxTransform.of(region.width(), region.height(), inputWidth, inputHeight, how)
                        .at(region.x(), region.y());
        return new Placement(frame.width(), frame.height(), region, transform,
                transform.params(how, inputWidth, inputHeight));
    }

    boolean isFor(Frame frame, Region wanted) {
        return frameWidth == frame.width() && frameHeight == frame.height()
                && (region == wanted || region != null && region.equals(wanted));
    }
}
