package dev.shrike.calibration.charts;

import dev.shrike.Frame;
import dev.shrike.calibration.metrics.ConfusionMatrix;
import dev.shrike.calibration.metrics.YoloMetrics;
import dev.shrike.calibration.metrics.YoloMetrics.Curves;
import dev.shrike.vision.Canvas;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** The images that show an evaluation: what YOLOv5's {@code val.py} draws. */
public final class EvaluationCharts {
    /** With more classes than this, single ones are thin grey lines without a place in the legend. */
    private static final int MOST_NAMED = 20;
    private static final int GREY = 0xb4b4b4;
    /** Black, which no class has. */
    private static final int ALL = 0x000000;

    private final YoloMetrics figures;
    private final List<String> names;

    /**
     * Charts of these figures.
     *
     * @param names names of the classes, by class id
     */
    public EvaluationCharts(YoloMetrics figures, List<String> names) {
        this.figures = figures;
        this.names = List.copyOf(names);
    }

    /** Precision by recall at IoU 0.5. */
    public Frame precisionRecall() {
        List<Series> series = new ArrayList<>();
        for (YoloMetrics.OfClass one : figures.classes()) {
            if (one.curves() != null) {
                String label = text("%s %.3f", names.get(one.classId()), one.ap50());
                series.add(ofClass(one, label, one.curves().precisionByRecall()));
            }
        }
        series.add(ofAll(text("all classes %.3f mAP@0.5", figures.map50()), mean(Curves::precisionByRecall)));
        return CurveChart.draw("Precision-recall curve", "Recall", "Precision", series);
    }

    /** F1 by confidence threshold. */
    public Frame f1() {
        double[] mean = mean(Curves::f1);
        int best = best(mean);
        String label = text("all classes %.2f at %.3f", mean[best], (double) best / (mean.length - 1));
        return byConfidence("F1-confidence curve", "F1", Curves::f1, label, mean);
    }

    /** Precision by confidence threshold. */
    public Frame precision() {
        double[] mean = mean(Curves::precision);
        int best = best(mean);
        String label = text("all classes %.2f at %.3f", mean[best], (double) best / (mean.length - 1));
        return byConfidence("Precision-confidence curve", "Precision", Curves::precision, label, mean);
    }

    /** Recall by confidence threshold. */
    public Frame recall() {
        double[] mean = mean(Curves::recall);
        String label = text("all classes %.2f at 0.000", mean[0]);
        return byConfidence("Recall-confidence curve", "Recall", Curves::recall, label, mean);
    }

    /** The confusion matrix. */
    public Frame confusion(ConfusionMatrix matrix) {
        return MatrixChart.draw(matrix.counts(), names);
    }

    private Frame byConfidence(
            String title, String up, Function<Curves, double[]> curve, String label, double[] mean) {
        List<Series> series = new ArrayList<>();
        for (YoloMetrics.OfClass one : figures.classes()) {
            if (one.curves() != null) {
                series.add(ofClass(one, names.get(one.classId()), curve.apply(one.curves())));
            }
        }
        series.add(ofAll(label, mean));
        return CurveChart.draw(title, "Confidence", up, series);
    }

    private Series ofClass(YoloMetrics.OfClass one, String label, double[] values) {
        boolean named = figures.classes().size() <= MOST_NAMED;
        return new Series(named ? label : "", values, named ? Canvas.classColour(one.classId()) : GREY, named ? 2 : 1);
    }

    private static Series ofAll(String label, double[] values) {
        return new Series(label, values, ALL, 4);
    }

    /** The mean over the classes that have objects, 0 for those of which nothing was found. */
    private double[] mean(Function<Curves, double[]> curve) {
        double[] mean = new double[Curves.POINTS];
        for (YoloMetrics.OfClass one : figures.classes()) {
            double[] values = one.curves() == null ? new double[mean.length] : curve.apply(one.curves());
            for (int i = 0; i < mean.length; i++) {
                mean[i] += values[i] / figures.classes().size();
            }
        }
        return mean;
    }

    private static int best(double[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best;
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
