package dev.shrike.heads;

import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a model's metadata says that it does.
 *
 * @param name {@code detect}, {@code segment}, {@code pose} and so on
 * @param suppressed whether it says that boxes need no suppression
 * @param keypointValues numbers of the keypoints of one box, 0 if it does not say
 */
record Task(String name, boolean suppressed, int keypointValues) {
    private static final Pattern SHAPE = Pattern.compile("\\s*[\\[(]\\s*(\\d{1,4})\\s*,\\s*(\\d{1,2})\\s*[\\])]\\s*");
    private static final Pattern WITH_SUPPRESSION = Pattern.compile("['\"]nms['\"]\\s*:\\s*[Tt]rue");

    static Task of(Map<String, String> metadata) {
        String name = metadata.getOrDefault("task", "detect").replaceAll("['\"\\s]", "").toLowerCase(Locale.ROOT);
        boolean endToEnd = metadata.getOrDefault("end2end", "").strip().equalsIgnoreCase("true");
        boolean suppressed = endToEnd || WITH_SUPPRESSION.matcher(metadata.getOrDefault("args", "")).find();
        Matcher shape = SHAPE.matcher(metadata.getOrDefault("kpt_shape", ""));
        int keypoints = shape.matches() ? Integer.parseInt(shape.group(1)) * Integer.parseInt(shape.group(2)) : 0;
        return new Task(name.isEmpty() || name.equals("none") ? "detect" : name, suppressed, keypoints);
    }
}
