package dev.shrike.training;

import java.util.ArrayList;
import java.util.List;

/**
 * Which anchors of which cells are to find an object, as YOLOv5 documents it: those anchors whose width and height are
 * both within a factor of 4 of the object's; in the cell of its centre, and in the two neighbouring cells that its
 * centre is nearest to.
 */
public final class AnchorMatching {
    private static final float LARGEST_RATIO = 4;
    private static final int TARGET_VALUES = 6;

    private AnchorMatching() {}

    /**
     * A cell's anchor and the object that it is to find. Sizes and positions are in cells.
     *
     * @param image of the batch
     * @param anchor of the stride
     * @param row of the cell
     * @param column of the cell
     * @param classId class of the object
     * @param x centre of the object, from the corner of the cell
     * @param y centre of the object, from the corner of the cell
     * @param width of the object
     * @param height of the object
     */
    public record Match(int image, int anchor, int row, int column, int classId, float x, float y, float width,
            float height) {}

    /**
     * The matches of a stride.
     *
     * @param targets six numbers each: image, class, centre x, centre y, width, height, in parts of the input
     * @param anchors width and height of each anchor in cells
     * @param rows cells up and down
     * @param columns cells side by side
     */
    public static List<Match> of(float[] targets, float[] anchors, int rows, int columns) {
        List<Match> matches = new ArrayList<>();
        for (int anchor = 0; anchor < anchors.length / 2; anchor++) {
            for (int i = 0; i < targets.length; i += TARGET_VALUES) {
                float width = targets[i + 4] * columns;
                float height = targets[i + 5] * rows;
                if (fits(width, anchors[2 * anchor]) && fits(height, anchors[2 * anchor + 1])) {
                    cells((int) targets[i], anchor, (int) targets[i + 1], targets[i + 2] * columns,
                            targets[i + 3] * rows, width, height, rows, columns, matches);
                }
            }
        }
        return matches;
    }

    private static boolean fits(float size, float anchor) {
        float ratio = size / anchor;
        return Math.max(ratio, 1 / ratio) < LARGEST_RATIO;
    }

    private static void cells(int image, int anchor, int classId, float x, float y, float width, float height,
            int rows, int columns, List<Match> matches) {
        int column = Math.clamp((int) Math.floor(x), 0, columns - 1);
        int row = Math.clamp((int) Math.floor(y), 0, rows - 1);
        add(image, anchor, classId, row, column, x, y, width, height, matches);
        int besideX = x - column < 0.5f ? column - 1 : column + 1;
        int besideY = y - row < 0.5f ? row - 1 : row + 1;
        // A centre in the very middle of a cell has no nearest neighbour.
        if (besideX >= 0 && besideX < columns && x - column != 0.5f) {
            add(image, anchor, classId, row, besideX, x, y, width, height, matches);
        }
        if (besideY >= 0 && besideY < rows && y - row != 0.5f) {
            add(image, anchor, classId, besideY, column, x, y, width, height, matches);
        }
    }

    private static void add(int image, int anchor, int classId, int row, int column, float x, float y, float width,
            float height, List<Match> matches) {
        matches.add(new Match(image, anchor, row, column, classId, x - column, y - row, width, height));
    }
}
