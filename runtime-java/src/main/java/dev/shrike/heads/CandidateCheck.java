package dev.shrike.heads;

import dev.shrike.UnsupportedModelException;

/**
 * Looks at the candidates of each image, whoever found them: that their scores are within 0 to 1 and their boxes
 * somewhere near the image, and whether boxes are given in pixels or in parts of the input. It costs nothing where
 * nothing was found, and a comparison per candidate else. One for each detector.
 */
public final class CandidateCheck {
    /** Parts of the input that a box can reach; one in pixels reaches further at once. */
    private static final float LARGEST_PART = 2;

    /** Sides of the input that the centre of a box may lie outside of it. */
    private static final int SIDES_OUTSIDE = 4;

    /** Sides of the input that a box may have; anchors made for 1280 pixels on an input of 64 come to 60. */
    private static final int SIDES_LARGE = 200;

    private final HeadDecoder decoder;
    private final int inputWidth;
    private final int inputHeight;
    private boolean pixels;

    /** A check of what this decoder, or an executor in its place, finds. */
    public CandidateCheck(HeadDecoder decoder, int inputWidth, int inputHeight) {
        this.decoder = decoder;
        this.inputWidth = inputWidth;
        this.inputHeight = inputHeight;
        pixels = !decoder.scalesBoxes();
    }

    /**
     * Brings boxes to pixels of the input and scores to at most 1.
     *
     * @throws UnsupportedModelException if a score is none, or most boxes are nowhere near the image
     */
    public void apply(Candidates candidates) {
        int count = candidates.size();
        if (count == 0) {
            return;
        }
        if (!pixels) {
            scale(candidates);
        }
        int implausible = 0;
        int last = 0;
        for (int i = 0; i < count; i++) {
            float score = candidates.score[i];
            if (!Rows.isScore(score)) {
                throw new UnsupportedModelException("a box has the score " + score + ", not within 0 to 1: "
                        + decoder.description() + " is not what its shape says; name its form with --head, or export"
                        + " the model without masks, keypoints or landmarks");
            }
            candidates.score[i] = Math.clamp(score, 0f, 1f);
            if (!isPlausible(candidates, i)) {
                implausible++;
                last = i;
            }
        }
        if (2 * implausible > count) {
            throw new UnsupportedModelException(implausible + " boxes of " + count + " cannot be, such as x "
                    + candidates.x1[last] + " to " + candidates.x2[last] + " and y " + candidates.y1[last] + " to "
                    + candidates.y2[last] + " in an input of " + inputWidth + "x" + inputHeight + " pixels: "
                    + decoder.description() + " is not what its shape says; name its form with --head");
        }
    }

    private boolean isPlausible(Candidates boxes, int i) {
        return isPlausible(boxes.x1[i], boxes.x2[i], inputWidth) && isPlausible(boxes.y1[i], boxes.y2[i], inputHeight);
    }

    private static boolean isPlausible(float from, float to, int side) {
        float centre = (from + to) / 2;
        int beyond = SIDES_OUTSIDE * Math.max(side, 128);
        return centre > -beyond && centre < side + beyond && to - from < SIDES_LARGE * Math.max(side, 64f);
    }

    /** Decided by most boxes, and for good once they are in pixels. */
    private void scale(Candidates boxes) {
        int large = 0;
        boolean any = false;
        for (int i = 0; i < boxes.size(); i++) {
            float reach = Math.max(Math.max(Math.abs(boxes.x1[i]), Math.abs(boxes.x2[i])),
                    Math.max(Math.abs(boxes.y1[i]), Math.abs(boxes.y2[i])));
            large += reach > LARGEST_PART ? 1 : 0;
            any |= reach > 0;
        }
        if (2 * large > boxes.size()) {
            pixels = true;
        } else if (any) {
            for (int i = 0; i < boxes.size(); i++) {
                boxes.x1[i] *= inputWidth;
                boxes.x2[i] *= inputWidth;
                boxes.y1[i] *= inputHeight;
                boxes.y2[i] *= inputHeight;
            }
        }
    }
}
