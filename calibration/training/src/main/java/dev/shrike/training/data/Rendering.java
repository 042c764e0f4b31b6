package dev.shrike.training.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Draws what a {@link Placement} shows, and says which objects are seen. */
final class Rendering {
    private static final byte GREY = 114;
    /** Objects that are smaller in the input, or of which less is seen, are left out (as YOLOv5 documents). */
    private static final double LEAST_SIDE = 2;
    private static final double LEAST_SHARE = 0.1;
    private static final double LARGEST_ASPECT = 100;

    private final int width;
    private final int height;

    Rendering(int width, int height) {
        this.width = width;
        this.height = height;
    }

    /** Planes {@code [3, height, width]}, interpolated bilinearly. */
    byte[] pixels(Placement placement) {
        byte[] planes = new byte[3 * width * height];
        Arrays.fill(planes, GREY);
        for (Placement.Tile tile : placement.tiles()) {
            draw(placement, tile, planes);
        }
        return planes;
    }

    private void draw(Placement placement, Placement.Tile tile, byte[] planes) {
        FittedImage image = tile.image();
        // Pixels whose centres fall onto the part of the image that lies on the canvas.
        double left = Math.max(0, tile.left());
        double right = Math.min(placement.canvasWidth(), tile.left() + image.width());
        double top = Math.max(0, tile.top());
        double bottom = Math.min(placement.canvasHeight(), tile.top() + image.height());
        int firstX = Math.max(0, (int) Math.ceil(placement.seenX(left) - 0.5));
        int lastX = Math.min(width - 1, (int) Math.ceil(placement.seenX(right) - 0.5) - 1);
        int firstY = Math.max(0, (int) Math.ceil(placement.seenY(top) - 0.5));
        int lastY = Math.min(height - 1, (int) Math.ceil(placement.seenY(bottom) - 0.5) - 1);
        for (int y = firstY; y <= lastY; y++) {
            float sourceY = (float) (placement.canvasY(y + 0.5) - tile.top() - 0.5);
            for (int x = firstX; x <= lastX; x++) {
                float sourceX = (float) (placement.canvasX(x + 0.5) - tile.left() - 0.5);
                int to = y * width + (placement.mirrored() ? width - 1 - x : x);
                sample(image, sourceX, sourceY, planes, to);
            }
        }
    }

    private void sample(FittedImage image, float x, float y, byte[] planes, int to) {
        float clampedX = Math.clamp(x, 0, image.width() - 1);
        float clampedY = Math.clamp(y, 0, image.height() - 1);
        int x0 = (int) clampedX;
        int y0 = (int) clampedY;
        int right = x0 + 1 < image.width() ? 3 : 0;
        int below = y0 + 1 < image.height() ? 3 * image.width() : 0;
        float u = clampedX - x0;
        float v = clampedY - y0;
        int at = 3 * (y0 * image.width() + x0);
        byte[] rgb = image.rgb();
        for (int channel = 0; channel < 3; channel++, at++) {
            float upper = (rgb[at] & 0xff) * (1 - u) + (rgb[at + right] & 0xff) * u;
            float lower = (rgb[at + below] & 0xff) * (1 - u) + (rgb[at + below + right] & 0xff) * u;
            planes[channel * width * height + to] = (byte) Math.round(upper * (1 - v) + lower * v);
        }
    }

    /** The objects that are seen. */
    List<Target> targets(Placement placement) {
        List<Target> targets = new ArrayList<>();
        for (Placement.Tile tile : placement.tiles()) {
            FittedImage image = tile.image();
            float[] boxes = image.boxes();
            for (int i = 0; i < boxes.length; i += 5) {
                double boxWidth = (double) boxes[i + 3] * image.width();
                double boxHeight = (double) boxes[i + 4] * image.height();
                target(placement, (int) boxes[i], tile.left() + (double) boxes[i + 1] * image.width() - boxWidth / 2,
                        tile.top() + (double) boxes[i + 2] * image.height() - boxHeight / 2, boxWidth, boxHeight,
                        targets);
            }
        }
        return targets;
    }

    private void target(Placement placement, int classId, double x, double y, double boxWidth, double boxHeight,
            List<Target> targets) {
        double left = visible(placement.seenX(Math.clamp(x, 0, placement.canvasWidth())), width);
        double right = visible(placement.seenX(Math.clamp(x + boxWidth, 0, placement.canvasWidth())), width);
        double top = visible(placement.seenY(Math.clamp(y, 0, placement.canvasHeight())), height);
        double bottom = visible(placement.seenY(Math.clamp(y + boxHeight, 0, placement.canvasHeight())), height);
        double seenWidth = right - left;
        double seenHeight = bottom - top;
        double whole = boxWidth * boxHeight * placement.scale() * placement.scale();
        boolean large = seenWidth > LEAST_SIDE && seenHeight > LEAST_SIDE;
        boolean shaped = Math.max(seenWidth / seenHeight, seenHeight / seenWidth) < LARGEST_ASPECT;
        if (large && shaped && seenWidth * seenHeight > LEAST_SHARE * whole) {
            double centre = (left + right) / 2;
            targets.add(new Target(classId, (float) (placement.mirrored() ? width - centre : centre),
                    (float) ((top + bottom) / 2), (float) seenWidth, (float) seenHeight));
        }
    }

    private static double visible(double position, int side) {
        return Math.clamp(position, 0, side);
    }
}
