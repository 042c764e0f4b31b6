package dev.shrike.tracking;

/**
 * Where a box is, by a Kalman filter in continuous time (Kalman 1960; Bar-Shalom, Li, Kirubarajan, "Estimation with
 * Applications to Tracking and Navigation", 6.2.2: white-noise acceleration): what it expects depends on the seconds
 * since the last detection and not on the number of frames.
 *
 * <p>State: centre and its velocity; width and height, which wander. All noise is in units of the object's size, the
 * square root of its area. It is the same along x and y, so both share their covariance.
 */
final class BoxFilter {
    /** Standard deviation of a detected centre or side, in sizes: as of boxes with an IoU of .8 with the truth. */
    private static final double MEASURED = .08;
    /** Spectral density of the acceleration, in sizes squared a second cubed: walkers turn, cameras turn too. */
    private static final double ACCELERATION = .5;
    /** How a side wanders, in sizes squared a second: by a fifth within a second. */
    private static final double GROWTH = .05;
    /** Standard deviation of the speed of an object that was seen once, in sizes a second. */
    private static final double FIRST_SPEED = 1.5;
    /** Seconds in which the velocity of an object that is not detected falls to 1/e: it may have stopped. */
    private static final double DECAY = 5;
    /** Smallest side in pixels. */
    static final double LEAST = .1;

    private double x;
    private double y;
    private double width;
    private double height;
    private double velocityX;
    private double velocityY;
    private double variance;
    private double covariance;
    private double speedVariance;
    private double sizeVariance;

    void start(float x1, float y1, float x2, float y2) {
        x = (x1 + (double) x2) / 2;
        y = (y1 + (double) y2) / 2;
        width = Math.max(LEAST, x2 - (double) x1);
        height = Math.max(LEAST, y2 - (double) y1);
        velocityX = 0;
        velocityY = 0;
        double area = width * height;
        variance = MEASURED * MEASURED * area;
        covariance = 0;
        speedVariance = FIRST_SPEED * FIRST_SPEED * area;
        sizeVariance = MEASURED * MEASURED * area;
    }

    /** Moves on by so many seconds. */
    void predict(double seconds) {
        double noise = ACCELERATION * width * height;
        // Over the time in which the velocity decays it moves as far as in this shorter time at full velocity.
        double moved = -DECAY * Math.expm1(-seconds / DECAY);
        double kept = 1 - moved / DECAY;
        x += velocityX * moved;
        y += velocityY * moved;
        velocityX *= kept;
        velocityY *= kept;
        variance += moved * (2 * covariance + moved * speedVariance) + noise * moved * moved * moved / 3;
        covariance = kept * (covariance + moved * speedVariance) + noise * moved * moved / 2;
        speedVariance = kept * kept * speedVariance + noise * moved;
        sizeVariance += GROWTH * width * height * moved;
    }

    /** Takes in a detection. */
    void correct(float x1, float y1, float x2, float y2) {
        double noise = MEASURED * MEASURED * width * height;
        double gain = variance / (variance + noise);
        double speedGain = covariance / (variance + noise);
        double errorX = (x1 + (double) x2) / 2 - x;
        double errorY = (y1 + (double) y2) / 2 - y;
        x += gain * errorX;
        y += gain * errorY;
        velocityX += speedGain * errorX;
        velocityY += speedGain * errorY;
        speedVariance -= speedGain * covariance;
        variance *= 1 - gain;
        covariance *= 1 - gain;
        double sizeGain = sizeVariance / (sizeVariance + noise);
        width = Math.max(LEAST, width + sizeGain * (x2 - (double) x1 - width));
        height = Math.max(LEAST, height + sizeGain * (y2 - (double) y1 - height));
        sizeVariance *= 1 - sizeGain;
    }

    /**
     * IoU of the expected and the detected box, both grown on each side by the standard deviation of the expected
     * centre (buffered IoU: Yang et al. 2023): after a long time, or at a speed not known yet, boxes that are the same
     * object's may not overlap as they are.
     */
    double overlap(float x1, float y1, float x2, float y2) {
        double margin = Math.sqrt(Math.max(0, variance));
        double across = Math.min(x + width / 2, x2) - Math.max(x - width / 2, x1) + 2 * margin;
        double down = Math.min(y + height / 2, y2) - Math.max(y - height / 2, y1) + 2 * margin;
        if (across <= 0 || down <= 0) {
            return 0;
        }
        double both = across * down;
        double expected = (width + 2 * margin) * (height + 2 * margin);
        double detected = (x2 - (double) x1 + 2 * margin) * (y2 - (double) y1 + 2 * margin);
        return both / (expected + detected - both);
    }

    double left() {
        return x - width / 2;
    }

    double top() {
        return y - height / 2;
    }

    double right() {
        return x + width / 2;
    }

    double bottom() {
        return y + height / 2;
    }

    double velocityX() {
        return velocityX;
    }

    double velocityY() {
        return velocityY;
    }
}
