package dev.shrike.training.data;

import java.util.List;
import java.util.SplittableRandom;

/**
 * Where images lie on a canvas, and how the canvas is seen in the input: {@code p = scale * (q - centre) + shift} for a
 * point q of the canvas, then perhaps mirrored.
 *
 * @param tiles images side by side, none over another
 * @param canvasWidth width of the canvas
 * @param canvasHeight height of the canvas
 * @param scale size in the input to that on the canvas
 * @param shiftX where the centre of the canvas lies in the input
 * @param shiftY where the centre of the canvas lies in the input
 * @param mirrored whether left and right are exchanged at last
 */
record Placement(List<Tile> tiles, int canvasWidth, int canvasHeight, double scale, double shiftX, double shiftY,
        boolean mirrored) {
    /**
     * An image on the canvas.
     *
     * @param image its pixels
     * @param left where its left edge lies, perhaps outside of the canvas
     * @param top where its upper edge lies
     */
    record Tile(FittedImage image, int left, int top) {}

    /** One image as a letterbox places it, then changed. */
    static Placement single(FittedImage image, int width, int height, Augmentation how,
            SplittableRandom random) {
        Tile tile = new Tile(image, (width - image.width()) / 2, (height - image.height()) / 2);
        return of(List.of(tile), width, height, width, height, how, random);
    }

    /** Four images around a random point of a canvas of twice the size. */
    static Placement mosaic(List<FittedImage> images, int width, int height, Augmentation how,
            SplittableRandom random) {
        int x = width / 2 + random.nextInt(width + 1);
        int y = height / 2 + random.nextInt(height + 1);
        Tile[] tiles = new Tile[4];
        for (int i = 0; i < 4; i++) {
            FittedImage image = images.get(i);
            tiles[i] = new Tile(image, i % 2 == 0 ? x - image.width() : x,
                    i < 2 ? y - image.height() : y);
        }
        return of(List.of(tiles), 2 * width, 2 * height, width, height, how, random);
    }

    private static Placement of(List<Tile> tiles, int canvasWidth, int canvasHeight, int width, int height,
            Augmentation how, SplittableRandom random) {
        double scale = 1 + (2 * random.nextDouble() - 1) * how.scale();
        double shiftX = (0.5 + (2 * random.nextDouble() - 1) * how.translate()) * width;
        double shiftY = (0.5 + (2 * random.nextDouble() - 1) * how.translate()) * height;
        return new Placement(tiles, canvasWidth, canvasHeight, scale, shiftX, shiftY,
                random.nextDouble() < how.flip());
    }

    /** Where a horizontal position of the canvas is seen, before mirroring. */
    double seenX(double x) {
        return scale * (x - canvasWidth / 2.0) + shiftX;
    }

    /** Where a vertical position of the canvas is seen. */
    double seenY(double y) {
        return scale * (y - canvasHeight / 2.0) + shiftY;
    }

    /** Position of the canvas that is seen there. */
    double canvasX(double x) {
        return (x - shiftX) / scale + canvasWidth / 2.0;
    }

    /** Position of the canvas that is seen there. */
    double canvasY(double y) {
        return (y - shiftY) / scale + canvasHeight / 2.0;
    }
}
