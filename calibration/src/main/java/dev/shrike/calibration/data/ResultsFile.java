package dev.shrike.calibration.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.shrike.files.FileReplacement;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * COCO's file of results: an array of {@code {"image_id", "category_id", "bbox": [x, y, width, height], "score"}}, as
 * pycocotools reads it.
 */
public final class ResultsFile {
    private static final JsonFactory JSON = new JsonFactory();
    private static final int BOX_DIGITS = 3;
    private static final int SCORE_DIGITS = 6;

    private ResultsFile() {}

    /**
     * What a results file says about a data set.
     *
     * @param found the boxes of each sample, in the order of {@link DataSet#samples()}, each in the file's order
     * @param ignored number of boxes that were left out because the data set lacks their category
     */
    public record Results(List<List<Prediction>> found, int ignored) {
        public Results {
            found = found.stream().map(List::copyOf).toList();
        }
    }

    /**
     * The results in the file, plain or gzipped.
     *
     * @throws DataSetException if the file is missing, cut off or broken, or names an image that the data set lacks;
     *     names the field
     */
    public static Results read(Path file, DataSet data) {
        return JsonStream.read(file, json -> new Reading(json, data).results());
    }

    /**
     * Writes boxes of a data set's samples; the file appears whole or not at all.
     *
     * @param found the boxes of each sample, in the order of {@link DataSet#samples()}
     * @throws dev.shrike.ShrikeException if the file cannot be written
     */
    public static void write(Path file, DataSet data, List<List<Prediction>> found) {
        if (found.size() != data.samples().size()) {
            throw new IllegalArgumentException(
                    "boxes of " + found.size() + " images for " + data.samples().size());
        }
        FileReplacement.write(file, stream -> {
            // Not closed: the stream is the writer's.
            JsonGenerator json = JSON.createGenerator(stream).disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
            json.writeStartArray();
            for (int i = 0; i < found.size(); i++) {
                for (Prediction box : found.get(i)) {
                    write(json, data.samples().get(i).id(), data.categories().get(box.classId()).id(), box);
                }
            }
            json.writeEndArray();
            json.writeRaw('\n');
            json.close();
        });
    }

    private static void write(JsonGenerator json, String image, int category, Prediction box) throws IOException {
        json.writeStartObject();
        if (ImageIds.isNumber(image)) {
            json.writeNumberField("image_id", Long.parseLong(image));
        } else {
            json.writeStringField("image_id", image);
        }
        json.writeNumberField("category_id", category);
        json.writeArrayFieldStart("bbox");
        for (double value : new double[] {box.x(), box.y(), box.width(), box.height()}) {
            json.writeNumber(rounded(value, BOX_DIGITS));
        }
        json.writeEndArray();
        json.writeNumberField("score", rounded(box.score(), SCORE_DIGITS));
        json.writeEndObject();
    }

    private static BigDecimal rounded(double value, int digits) {
        BigDecimal number = BigDecimal.valueOf(value).setScale(digits, RoundingMode.HALF_EVEN).stripTrailingZeros();
        return number.scale() < 0 ? number.setScale(0) : number;
    }

    /** One pass over a file. */
    private static final class Reading {
        private final JsonStream json;
        private final Map<String, Integer> samples = new HashMap<>();
        private final Map<Integer, Integer> classes = new HashMap<>();
        private final List<List<Prediction>> found = new ArrayList<>();
        private int index;
        /** Whether images of the data set were left out, so that boxes in images unknown here are no mistake. */
        private final boolean partial;
        private int ignored;

        Reading(JsonStream json, DataSet data) {
            this.json = json;
            this.partial = data.census().flawed() > 0;
            for (Sample sample : data.samples()) {
                samples.put(sample.id(), found.size());
                found.add(new ArrayList<>());
            }
            for (Category category : data.categories()) {
                classes.put(category.id(), classes.size());
            }
        }

        Results results() throws IOException {
            json.elements(this::readBox);
            return new Results(found, ignored);
        }

        private void readBox() throws IOException {
            String place = "[" + index++ + "]";
            String[] image = new String[1];
            Integer[] category = new Integer[1];
            Double[] score = new Double[1];
            double[][] box = new double[1][];
            json.fields(field -> {
                switch (field) {
                    case "image_id" -> image[0] = json.id();
                    case "category_id" -> category[0] = json.integer();
                    case "bbox" -> json.numbers(box[0] = new double[4]);
                    case "score" -> score[0] = json.number();
                    default -> json.skip();
                }
            });
            require(image[0], place, "image_id");
            require(category[0], place, "category_id");
            require(box[0], place, "bbox");
            require(score[0], place, "score");
            if (box[0][2] < 0 || box[0][3] < 0) {
                throw json.broken(place + ".bbox", "has a negative size: " + box[0][2] + " x " + box[0][3]);
            }
            Integer sample = samples.get(image[0]);
            if (sample == null && partial) {
                ignored++;
                return;
            }
            if (sample == null) {
                throw json.broken(place + ".image_id", image[0] + " is no image of the data set");
            }
            Integer classId = classes.get(category[0]);
            if (classId == null) {
                ignored++;
                return;
            }
            found.get(sample).add(new Prediction(classId, score[0], box[0][0], box[0][1], box[0][2], box[0][3]));
        }

        private void require(Object value, String place, String field) {
            if (value == null) {
                throw json.broken(place, "has no '" + field + "'");
            }
        }
    }
}
