package dev.shrike.calibration;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Frame;
import dev.shrike.StageTimes;
import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.data.DataSetException;
import dev.shrike.calibration.data.FoundBox;
import dev.shrike.calibration.data.Sample;
import dev.shrike.calibration.metrics.CocoEvaluation;
import dev.shrike.calibration.metrics.CocoFigures;
import dev.shrike.calibration.metrics.ConfusionMatrix;
import dev.shrike.calibration.metrics.Scene;
import dev.shrike.calibration.metrics.YoloEvaluation;
import dev.shrike.calibration.metrics.YoloFigures;
import java.util.ArrayList;
import java.util.List;

/**
 * What a detector found in a data set, and how good that is. The figures are computed when they are asked for.
 *
 * <pre>
 * DataSet data = DataSets.open(Path.of("coco/val2017"));
 * try (Detector detector = Detectors.open(model, Evaluation.DETECTOR_OPTIONS)) {
 *     double map = Evaluation.of(data, detector).coco().ap();
 * }
 * </pre>
 */
public final class Evaluation {
    /** How YOLOv5 measures: confidence 0.001, IoU 0.6, at most 300 detections, several classes per box. */
    public static final DetectorOptions DETECTOR_OPTIONS =
            DetectorOptions.DEFAULT.withThresholds(0.001f, 0.6f).withMaxDetections(300).withMultiLabel(true);

    private final DataSet data;
    private final List<Scene> scenes;
    private final StageTimes times;

    private Evaluation(DataSet data, List<Scene> scenes, StageTimes times) {
        this.data = data;
        this.scenes = List.copyOf(scenes);
        this.times = times;
    }

    /** As {@link #of(DataSet, Detector, EvaluationProgress)}, silently. */
    public static Evaluation of(DataSet data, Detector detector) {
        return of(data, detector, EvaluationProgress.NONE);
    }

    /**
     * Shows the detector every picture of the data set.
     *
     * @param detector opened with {@link #DETECTOR_OPTIONS} or options of the caller; stays the caller's
     * @throws DataSetException if pictures are missing or of another size than stated, or the classes do not match
     * @throws dev.shrike.SourceException if a picture cannot be read
     */
    public static Evaluation of(DataSet data, Detector detector, EvaluationProgress progress) {
        data.requirePictures();
        int[] classes = data.classesOf(detector.labels());
        List<Scene> scenes = new ArrayList<>(data.samples().size());
        long letterbox = 0;
        long network = 0;
        long decode = 0;
        for (Sample sample : data.samples()) {
            progress.at(sample.file().getFileName().toString(), scenes.size(), data.samples().size());
            Frame frame = sample.read();
            Detections found = detector.detect(frame);
            letterbox += found.times().letterbox();
            network += found.times().network();
            decode += found.times().decode();
            scenes.add(new Scene(sample.boxesIn(frame.width(), frame.height()), boxes(found, classes)));
        }
        int count = scenes.size();
        return new Evaluation(data, scenes, new StageTimes(letterbox / count, network / count, decode / count));
    }

    /**
     * Measures what somebody else found.
     *
     * @param found the boxes of each sample, in the order of {@link DataSet#samples()}
     */
    public static Evaluation of(DataSet data, List<List<FoundBox>> found) {
        if (found.size() != data.samples().size()) {
            throw new IllegalArgumentException(
                    "boxes of " + found.size() + " pictures for " + data.samples().size());
        }
        List<Scene> scenes = new ArrayList<>(found.size());
        for (int i = 0; i < found.size(); i++) {
            scenes.add(new Scene(data.samples().get(i).boxesInPixels(), found.get(i)));
        }
        return new Evaluation(data, scenes, new StageTimes(0, 0, 0));
    }

    /** The boxes of classes that the data set knows. */
    private static List<FoundBox> boxes(Detections found, int[] classes) {
        List<FoundBox> boxes = new ArrayList<>();
        for (Detection detection : found) {
            int classId = classes[detection.classId()];
            if (classId >= 0) {
                boxes.add(FoundBox.of(detection, classId));
            }
        }
        return boxes;
    }

    /** What was measured on. */
    public DataSet data() {
        return data;
    }

    /** The boxes that were found in each sample. */
    public List<List<FoundBox>> found() {
        return scenes.stream().map(Scene::found).toList();
    }

    /** Mean time of the stages per picture; zeros if no detector ran. */
    public StageTimes times() {
        return times;
    }

    /** COCO's figures, equal to those of pycocotools. */
    public CocoFigures coco() {
        return CocoEvaluation.of(scenes, data.categories().size());
    }

    /** YOLOv5's figures and curves. */
    public YoloFigures yolo() {
        return YoloEvaluation.of(scenes, data.categories().size());
    }

    /** Which class objects were taken for. */
    public ConfusionMatrix confusion() {
        return ConfusionMatrix.of(scenes, data.categories().size());
    }
}
