package dev.shrike.app.bench.rivals;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.ShrikeException;
import dev.shrike.app.bench.report.BenchReport;
import dev.shrike.app.bench.statistics.Summary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Results of tools that measure by themselves: what {@code trtexec --exportTimes=FILE} writes, and what
 * {@code benchncnn}
 * prints.
 */
public final class ImportedTimes {
    private static final long LARGEST = 1 << 28;
    private static final Pattern NCNN_ROW = Pattern.compile(
            "\\s{0,64}(\\S{1,100})\\s{1,64}min\\s{0,8}=\\s{0,16}([\\d.]{1,16})"
                    + "\\s{1,8}max\\s{0,8}=\\s{0,16}([\\d.]{1,16})"
                    + "\\s{1,8}avg\\s{0,8}=\\s{0,16}([\\d.]{1,16})\\s{0,64}");
    private static final Pattern NCNN_SETTING = Pattern.compile("(loop_count|num_threads)\\s{0,8}=\\s{0,8}(\\d{1,6})");

    private ImportedTimes() {}

    /**
     * The results in the file, whichever tool wrote it.
     *
     * @throws ShrikeException if it cannot be read, or is of neither tool
     */
    public static List<BenchReport.Imported> read(Path file) {
        String text;
        try {
            if (!Files.isRegularFile(file) || Files.size(file) > LARGEST) {
                throw new ShrikeException(file + ": is no file, or a very large one; give the times of trtexec"
                        + " --exportTimes, or what benchncnn printed");
            }
            text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new ShrikeException(file + ": cannot be read: " + e.getMessage(), e);
        }
        return text.stripLeading().startsWith("[") ? List.of(trtexec(file, text)) : benchNcnn(file, text);
    }

    private static BenchReport.Imported trtexec(Path file, String text) {
        JsonNode runs;
        try {
            runs = new ObjectMapper().readTree(text);
        } catch (JacksonException e) {
            throw new ShrikeException(file + ": is no JSON of trtexec --exportTimes: "
                    + e.getOriginalMessage().lines().findFirst().orElse(""), e);
        }
        double[] times = new double[runs.size()];
        for (int i = 0; i < times.length; i++) {
            JsonNode time = runs.get(i).path("computeMs");
            if (!time.isNumber() || !(time.asDouble() > 0) || Double.isInfinite(time.asDouble())) {
                throw new ShrikeException(file + ": run " + i + " has no positive computeMs, which trtexec"
                        + " --exportTimes writes");
            }
            times[i] = time.asDouble();
        }
        if (times.length == 0) {
            throw new ShrikeException(file + ": has no runs; call trtexec with --exportTimes=FILE and --duration=10");
        }
        Summary summary = Summary.of(times);
        return new BenchReport.Imported("trtexec", String.valueOf(file.getFileName()), null, summary.count(),
                summary.min(), summary.mean(), summary.p50(), summary.p99(), summary.max());
    }

    private static List<BenchReport.Imported> benchNcnn(Path file, String text) {
        Integer threads = null;
        Integer loops = null;
        List<BenchReport.Imported> results = new ArrayList<>();
        for (String line : (Iterable<String>) text.lines().limit(100_000)::iterator) {
            Matcher setting = NCNN_SETTING.matcher(line);
            if (line.length() < 200 && setting.find()) {
                int value = Integer.parseInt(setting.group(2));
                threads = setting.group(1).equals("num_threads") ? Integer.valueOf(value) : threads;
                loops = setting.group(1).equals("loop_count") ? Integer.valueOf(value) : loops;
            }
            Matcher row = NCNN_ROW.matcher(line);
            if (line.length() < 500 && row.matches()) {
                results.add(new BenchReport.Imported("benchncnn", row.group(1), threads, loops,
                        number(file, row.group(2)), number(file, row.group(4)), null, null,
                        number(file, row.group(3))));
            }
        }
        if (results.isEmpty()) {
            throw new ShrikeException(file + ": has neither the JSON of trtexec --exportTimes nor a line of benchncnn"
                    + " ('NAME  min = 5.46  max = 5.53  avg = 5.49')");
        }
        return results;
    }

    private static double number(Path file, String text) {
        try {
            double value = Double.parseDouble(text);
            if (value >= 0 && value < Double.MAX_VALUE) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Told below.
        }
        throw new ShrikeException(file + ": '" + text + "' is no time in milliseconds");
    }
}
