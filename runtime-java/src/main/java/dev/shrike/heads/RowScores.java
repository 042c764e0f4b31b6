package dev.shrike.heads;

import dev.shrike.ModelException;

/** The scores of one box for all classes, and the rule that turns them into candidates. */
final class RowScores {
    private final float[] scores;

    RowScores(int classes) {
        scores = new float[classes];
    }

    int classes() {
        return scores.length;
    }

    void set(int classId, float score) {
        scores[classId] = score;
    }

    boolean isFinite() {
        float sum = 0;
        for (float score : scores) {
            // 0 for finite scores, NaN for the others
            sum += score * 0;
        }
        return sum == 0;
    }

    /** Adds the box for its best class, the first among equals, or for every class above the threshold. */
    void emit(ScoreFilter filter, float x, float y, float width, float height, Candidates candidates) {
        if (filter.multiLabel() && scores.length > 1) {
            for (int c = 0; c < scores.length; c++) {
                if (scores[c] > filter.confidence() && filter.wants(c)) {
                    candidates.addCentred(x, y, width, height, scores[c], c);
                }
            }
            return;
        }
        int best = 0;
        for (int c = 1; c < scores.length; c++) {
            if (scores[c] > scores[best]) {
                best = c;
            }
        }
        if (scores[best] > filter.confidence() && filter.wants(best)) {
            candidates.addCentred(x, y, width, height, scores[best], best);
        }
    }

    static ModelException notFinite(String output, String where) {
        return new ModelException("the network's output " + output + " holds NaN or infinity at " + where
                + ": the model's weights are broken, or its precision is too low for them");
    }
}
