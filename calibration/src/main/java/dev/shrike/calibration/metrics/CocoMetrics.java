package dev.shrike.calibration.metrics;

import java.util.List;
import java.util.Locale;

/**
 * COCO's twelve figures, each 0 to 1, or -1 where there is no object to measure it by. AP is the mean precision over
 * recall 0, 0.01 … 1, AR the recall; both are means over the classes that have objects and, unless another is named,
 * over the IoU thresholds 0.50, 0.55 … 0.95.
 *
 * @param ap AP, at most 100 detections per image and class, as all others but ar1 and ar10
 * @param ap50 AP at IoU 0.50
 * @param ap75 AP at IoU 0.75
 * @param apSmall AP of objects of up to 32x32 pixels
 * @param apMedium AP of objects of 32x32 to 96x96 pixels
 * @param apLarge AP of larger objects
 * @param ar1 AR with the best detection per image and class
 * @param ar10 AR with the best 10
 * @param ar100 AR with the best 100
 * @param arSmall AR of small objects
 * @param arMedium AR of medium objects
 * @param arLarge AR of large objects
 * @param classes AP and AP50 of each class, by class id
 */
public record CocoMetrics(
        double ap,
        double ap50,
        double ap75,
        double apSmall,
        double apMedium,
        double apLarge,
        double ar1,
        double ar10,
        double ar100,
        double arSmall,
        double arMedium,
        double arLarge,
        List<OfClass> classes) {
    /**
     * Figures of one class.
     *
     * @param ap AP, or -1 if there is no such object
     * @param ap50 AP at IoU 0.50, or -1
     */
    public record OfClass(double ap, double ap50) {}

    private static final String[] TITLES = {
            "AP  @[ IoU=0.50:0.95 | area=   all | maxDets=100 ]", "AP  @[ IoU=0.50      | area=   all | maxDets=100 ]",
            "AP  @[ IoU=0.75      | area=   all | maxDets=100 ]", "AP  @[ IoU=0.50:0.95 | area= small | maxDets=100 ]",
            "AP  @[ IoU=0.50:0.95 | area=medium | maxDets=100 ]", "AP  @[ IoU=0.50:0.95 | area= large | maxDets=100 ]",
            "AR  @[ IoU=0.50:0.95 | area=   all | maxDets=  1 ]", "AR  @[ IoU=0.50:0.95 | area=   all | maxDets= 10 ]",
            "AR  @[ IoU=0.50:0.95 | area=   all | maxDets=100 ]", "AR  @[ IoU=0.50:0.95 | area= small | maxDets=100 ]",
            "AR  @[ IoU=0.50:0.95 | area=medium | maxDets=100 ]", "AR  @[ IoU=0.50:0.95 | area= large | maxDets=100 ]"
    };

    public CocoMetrics {
        classes = List.copyOf(classes);
    }

    /** The twelve figures in COCO's order. */
    public double[] all() {
        return new double[] {
                ap, ap50, ap75, apSmall, apMedium, apLarge, ar1, ar10, ar100, arSmall, arMedium, arLarge
        };
    }

    /** A line for each of the twelve figures, with four decimals. */
    public List<String> lines() {
        double[] figures = all();
        String[] lines = new String[figures.length];
        for (int i = 0; i < figures.length; i++) {
            lines[i] = String.format(Locale.ROOT, "%s = %6.4f", TITLES[i], figures[i]);
        }
        return List.of(lines);
    }
}
