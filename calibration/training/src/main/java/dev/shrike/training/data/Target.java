package dev.shrike.training.data;

/**
 * An object that a network is to find, in pixels of its input.
 *
 * @param classId class of the network
 * @param x horizontal position of the centre
 * @param y vertical position of the centre
 * @param width positive width
 * @param height positive height
 */
public record Target(int classId, float x, float y, float width, float height) {
    public Target {
        boolean finite = Float.isFinite(x) && Float.isFinite(y) && Float.isFinite(width) && Float.isFinite(height);
        if (classId < 0 || !finite || !(width > 0) || !(height > 0)) {
            throw new IllegalArgumentException("class " + classId + ", centre " + x + ", " + y + ", size " + width
                    + " x " + height);
        }
    }
}
