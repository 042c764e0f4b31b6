package dev.shrike.training;

import dev.shrike.ModelException;
import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.data.Sample;
import dev.shrike.files.FileDigest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Digests of what a run is given, by which one that goes on knows that it has the same. */
final class RunInputs {
    private RunInputs() {}

    /** The digests of model, images, teacher and quantised network, as far as there are any; by what they are of. */
    static Map<String, String> digests(Path model, DataSet train, DataSet validation, TrainingMethods methods) {
        Map<String, String> digests = new TreeMap<>();
        digests.put("model", of(model));
        digests.put("training images", of(train));
        digests.put("validation images", of(validation));
        if (methods.teacher() != null && !methods.teacher().network().equals(Teaching.ITSELF)) {
            digests.put("teacher", of(Path.of(methods.teacher().network())));
        }
        if (methods.rounding() != null && methods.rounding().network() != null) {
            digests.put("quantised network", of(Path.of(methods.rounding().network())));
        }
        return digests;
    }

    /** What differs, in words; nothing is said of what an earlier version did not note. */
    static List<String> differences(Map<String, String> before, Map<String, String> now) {
        List<String> others = new ArrayList<>();
        now.forEach((what, digest) -> {
            if (!digest.equals(before.getOrDefault(what, digest))) {
                others.add("the " + what + (what.endsWith("s") ? " are others" : " is another one"));
            }
        });
        return others;
    }

    /** Digest of a file. */
    static String of(Path file) {
        try {
            return FileDigest.sha256(file);
        } catch (IOException e) {
            throw new ModelException(file + ": cannot be read: " + e, e);
        }
    }

    /** Digest of the names, sizes and boxes of images, wherever their folder is; the images themselves are not read. */
    private static String of(DataSet data) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Sample sample : data.samples()) {
                String text = sample.file().getFileName() + " " + size(sample.file()) + " " + sample.boxes() + "\n";
                digest.update(text.getBytes(StandardCharsets.UTF_8));
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** An image that is missing is counted and left out by those who read it. */
    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            return -1;
        }
    }
}
