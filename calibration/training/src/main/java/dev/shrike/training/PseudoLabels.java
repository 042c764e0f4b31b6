package dev.shrike.training;

import dev.shrike.Detection;
import dev.shrike.Detector;
import dev.shrike.Frame;
import dev.shrike.SourceException;
import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.data.DataSetException;
import dev.shrike.calibration.data.Problem;
import dev.shrike.calibration.data.Sample;
import dev.shrike.calibration.data.GroundTruth;
import java.util.ArrayList;
import java.util.List;

/** Takes what a detector of any form finds in images for labels (Lee 2013, pseudo-labels). */
final class PseudoLabels {
    /** Least score of what counts as an object. */
    static final float CONFIDENCE = 0.4f;

    private PseudoLabels() {}

    /**
     * The data set with what the detector finds; images that cannot be read are left out.
     *
     * @param labels whether labels that are there stay; an object that one of them overlaps by half is not added
     * @throws DataSetException if the detector has none of the data set's classes
     */
    static DataSet of(DataSet data, Detector detector, boolean labels, TrainingListener listener) {
        int[] classes = classes(data, detector);
        List<Sample> samples = new ArrayList<>();
        List<Problem> problems = new ArrayList<>();
        int done = 0;
        for (Sample sample : data.samples()) {
            listener.working("asking the teacher", done++, data.samples().size());
            try {
                Frame frame = sample.read();
                List<GroundTruth> boxes = new ArrayList<>(labels ? sample.boxesIn(frame.width(), frame.height())
                        : List.of());
                List<GroundTruth> known = List.copyOf(boxes);
                for (Detection found : detector.detect(frame)) {
                    int classId = classes[found.classId()];
                    GroundTruth box = classId < 0 ? null : GroundTruth.of(classId, found.x1(), found.y1(),
                            Math.max(0, found.x2() - found.x1()), Math.max(0, found.y2() - found.y1()));
                    if (box != null && known.stream().noneMatch(other -> overlap(box, other) > 0.5)) {
                        boxes.add(box);
                    }
                }
                samples.add(new Sample(sample.id(), sample.file(), frame.width(), frame.height(), false, boxes));
            } catch (SourceException e) {
                problems.add(new Problem(Problem.Kind.UNREADABLE_IMAGE, e.getMessage()));
            } catch (DataSetException e) {
                problems.add(new Problem(Problem.Kind.OTHER_SIZE, e.getMessage()));
            }
        }
        return data.with(samples, problems);
    }

    /** Category of each class of the detector; -1 for those that the data set does not have. */
    private static int[] classes(DataSet data, Detector detector) {
        List<String> names = data.names().stream().map(PseudoLabels::plain).toList();
        int[] classes = new int[detector.labels().size()];
        boolean any = false;
        for (int i = 0; i < classes.length; i++) {
            classes[i] = names.indexOf(plain(detector.labels().get(i)));
            any |= classes[i] >= 0;
        }
        if (!any) {
            throw new DataSetException(
                    data.file() + ": the teacher finds " + detector.labels() + " and the data set has "
                            + data.names() + ": they have no class in common");
        }
        return classes;
    }

    private static String plain(String name) {
        return name.strip().toLowerCase(java.util.Locale.ROOT);
    }

    private static double overlap(GroundTruth a, GroundTruth b) {
        double width = Math.min(a.x() + a.width(), b.x() + b.width()) - Math.max(a.x(), b.x());
        double height = Math.min(a.y() + a.height(), b.y() + b.height()) - Math.max(a.y(), b.y());
        double inner = Math.max(0, width) * Math.max(0, height);
        double all = a.width() * a.height() + b.width() * b.height() - inner;
        return all > 0 ? inner / all : 0;
    }
}
