package dev.shrike.examples.flink;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import dev.shrike.SourceException;
import java.nio.file.Path;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From the name of an image to its detections as a line of JSON. Each task slot has a detector of its own, on one
 * thread: the slots are what makes a worker busy.
 */
final class DetectFunction extends RichMapFunction<String, String> {
    private static final long serialVersionUID = 1L;
    private static final Logger LOG = LoggerFactory.getLogger(DetectFunction.class);

    private final String weights;
    private transient Detector detector;
    private transient boolean begun;

    /** The weights are a path on the workers. */
    DetectFunction(String weights) {
        this.weights = weights;
    }

    @Override
    public void open(OpenContext context) {
        detector = open(weights);
    }

    static Detector open(String weights) {
        return Detectors.open(Path.of(weights), DetectorOptions.DEFAULT.withThreads(1));
    }

    @Override
    public String map(String image) {
        String line = line(detector, image);
        if (!begun) {
            begun = true;
            LOG.info("first image done: {}", image);
        }
        return line;
    }

    @Override
    public void close() {
        if (detector != null) {
            detector.close();
        }
    }

    /** The detections of the image; one that cannot be read is a line too, and ends no job of a million. */
    static String line(Detector detector, String image) {
        StringBuilder json = new StringBuilder("{\"image\":").append(quoted(image));
        try {
            Detections found = detector.detect(Frame.read(Path.of(image)));
            json.append(",\"width\":").append(found.width()).append(",\"height\":").append(found.height());
            json.append(",\"detections\":[");
            String comma = "";
            for (Detection one : found) {
                json.append(comma).append("{\"label\":").append(quoted(one.label()));
                json.append(",\"class_id\":").append(one.classId()).append(",\"score\":").append(one.score());
                json.append(",\"box\":[").append(one.x1()).append(',').append(one.y1()).append(',');
                json.append(one.x2()).append(',').append(one.y2()).append("]}");
                comma = ",";
            }
            return json.append("]}").toString();
        } catch (SourceException e) {
            return json.append(",\"error\":").append(quoted(e.getMessage())).append('}').toString();
        }
    }

    static String quoted(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ') {
                json.append("\\u%04x".formatted((int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }
}
