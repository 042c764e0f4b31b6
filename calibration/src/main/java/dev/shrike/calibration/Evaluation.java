package dev.shrike.calibration;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Frame;
import dev.shrike.SourceException;
import dev.shrike.StageTimes;
import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.data.DataSetException;
import dev.shrike.calibration.data.Prediction;
import dev.shrike.calibration.data.Problem;
import dev.shrike.calibration.data.Sample;
import dev.shrike.calibration.metrics.CocoEvaluation;
import dev.shrike.calibration.metrics.CocoMetrics;
import dev.shrike.calibration.metrics.ConfusionMatrix;
import dev.shrike.calibration.metrics.ImageResult;
import dev.shrike.calibration.metrics.YoloEvaluation;
import dev.shrike.calibration.metrics.YoloMetrics;
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
    private final List<ImageResult> scenes;
    private final StageTimes times;

    private Evaluation(DataSet data, List<ImageResult> scenes, StageTimes times) {
        this.data = data;
        this.scenes = List.copyOf(scenes);
        this.times = times;
    }

    /** As {@link #of(DataSet, Detector, EvaluationProgress)}, silently. */
    public static Evaluation of(DataSet data, Detector detector) {
        return of(data, detector, EvaluationProgress.NONE);
    }

    /**
     * Shows the detector every image of the data set, its classes matched by name.
     *
     * @throws DataSetException as {@link #of(DataSet, Detector, int[], EvaluationProgress)} does, and if the classes do
     *     not match
     */
    public static Evaluation of(DataSet data, Detector detector, EvaluationProgress progress) {
        return of(data, detector, data.classesOf(detector.labels()), progress);
    }

    /**
     * Shows the detector every image of the data set. Those that are missing, cannot be read or are of another size
     * than stated are left out; {@link #data} tells which.
     *
     * @param detector opened with {@link #DETECTOR_OPTIONS} or options of the caller; stays the caller's
     * @param classes category of each class of the detector, as {@link DataSet#classesOf(List, boolean)} gives it
     * @throws DataSetException if not a single image is left
     */
    public static Evaluation of(DataSet data, Detector detector, int[] classes, EvaluationProgress progress) {
        DataSet present = data.requireImages();
        List<Sample> seen = new ArrayList<>(present.samples().size());
        List<Problem> problems = new ArrayList<>();
        List<ImageResult> scenes = new ArrayList<>(present.samples().size());
        long letterbox = 0;
        long network = 0;
        long decode = 0;
        int done = 0;
        for (Sample sample : present.samples()) {
            progress.at(sample.file().getFileName().toString(), done++, present.samples().size());
            Frame frame = read(sample, problems);
            if (frame == null) {
                continue;
            }
            Detections found = detector.detect(frame);
            letterbox += found.times().letterbox();
            network += found.times().network();
            decode += found.times().decode();
            seen.add(sample);
            scenes.add(new ImageResult(sample.boxesIn(frame.width(), frame.height()), boxes(found, classes)));
        }
        DataSet measured = left(present, seen, problems);
        int count = scenes.size();
        return new Evaluation(measured, scenes, new StageTimes(letterbox / count, network / count, decode / count));
    }

    /** The image, or null after its problem was noted. */
    private static Frame read(Sample sample, List<Problem> problems) {
        try {
            return sample.read();
        } catch (SourceException e) {
            problems.add(new Problem(Problem.Kind.UNREADABLE_IMAGE, e.getMessage()));
        } catch (DataSetException e) {
            problems.add(new Problem(Problem.Kind.OTHER_SIZE, e.getMessage()));
        }
        return null;
    }

    private static DataSet left(DataSet data, List<Sample> seen, List<Problem> problems) {
        if (seen.isEmpty() && !problems.isEmpty()) {
            throw new DataSetException(data.file() + ": none of the " + data.samples().size()
                    + " images can be used, the first because of " + problems.getFirst().message());
        }
        return data.with(seen, problems);
    }

    /**
     * Measures what somebody else found. Images are read only where they alone tell their size; those that cannot be
     * are left out.
     *
     * @param found the boxes of each sample, in the order of {@link DataSet#samples()}
     */
    public static Evaluation of(DataSet data, List<List<Prediction>> found) {
        if (found.size() != data.samples().size()) {
            throw new IllegalArgumentException(
                    "boxes of " + found.size() + " images for " + data.samples().size());
        }
        List<Sample> seen = new ArrayList<>(found.size());
        List<Problem> problems = new ArrayList<>();
        List<ImageResult> scenes = new ArrayList<>(found.size());
        for (int i = 0; i < found.size(); i++) {
            Sample sample = data.samples().get(i);
            try {
                scenes.add(new ImageResult(sample.boxesInPixels(), found.get(i)));
                seen.add(sample);
            } catch (SourceException e) {
                problems.add(new Problem(Problem.Kind.UNREADABLE_IMAGE, e.getMessage()));
            }
        }
        return new Evaluation(left(data, seen, problems), scenes, new StageTimes(0, 0, 0));
    }

    /** The boxes of classes that the data set knows. */
    private static List<Prediction> boxes(Detections found, int[] classes) {
        List<Prediction> boxes = new ArrayList<>();
        for (Detection detection : found) {
            int classId = classes[detection.classId()];
            if (classId >= 0) {
                boxes.add(Prediction.of(detection, classId));
            }
        }
        return boxes;
    }

    /** What was measured on, with the images that could be used only, and what was left out. */
    public DataSet data() {
        return data;
    }

    /** The boxes that were found in each sample. */
    public List<List<Prediction>> found() {
        return scenes.stream().map(ImageResult::found).toList();
    }

    /** Mean time of the stages per image; zeros if no detector ran. */
    public StageTimes times() {
        return times;
    }

    /** COCO's figures, equal to those of pycocotools. */
    public CocoMetrics coco() {
        return CocoEvaluation.of(scenes, data.categories().size());
    }

    /** YOLOv5's figures and curves. */
    public YoloMetrics yolo() {
        return YoloEvaluation.of(scenes, data.categories().size());
    }

    /** Which class objects were taken for. */
    public ConfusionMatrix confusion() {
        return ConfusionMatrix.of(scenes, data.categories().size());
    }
}
