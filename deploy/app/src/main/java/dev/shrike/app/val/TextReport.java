package dev.shrike.app.val;

import dev.shrike.app.Console;
import dev.shrike.calibration.metrics.YoloMetrics;
import java.util.Locale;

/** Tables in the manner of YOLOv5's val.py and of pycocotools. */
record TextReport(Console console, boolean verbose) {
    private static final String ROW = "%22s%11d%11d%11.4f%11.4f%11.4f%11.4f";

    void print(Measured measured) {
        YoloMetrics all = measured.yolo();
        line("%22s%11s%11s%11s%11s%11s%11s", "Class", "Images", "Instances", "P", "R", "mAP50", "mAP50-95");
        line(ROW, "all", all.images(), all.objects(), all.precision(), all.recall(), all.map50(), all.map());
        if (verbose) {
            for (YoloMetrics.OfClass one : all.classes()) {
                line(ROW, shortened(measured.names().get(one.classId())), one.images(), one.objects(),
                        one.precision(), one.recall(), one.ap50(), one.ap());
            }
        }
        line("P and R at the confidence of the best F1, %.3f", all.confidence());
        if (measured.ran()) {
            line(
                    "Speed: %.1fms pre-process, %.1fms inference, %.1fms NMS per image at shape (1, 3, %d, %d)",
                    measured.times().letterbox() / 1e6,
                    measured.times().network() / 1e6,
                    measured.times().decode() / 1e6,
                    measured.height(),
                    measured.width());
        }
        line("");
        measured.coco().lines().forEach(text -> line("%s", text));
    }

    private void line(String format, Object... values) {
        console.line(String.format(Locale.ROOT, format, values));
    }

    private static String shortened(String name) {
        return name.length() <= 20 ? name : name.substring(0, 19) + "…";
    }
}
