package dev.shrike.app.bench.report;

import dev.shrike.app.bench.statistics.Bootstrap;
import dev.shrike.app.bench.statistics.Summary;
import dev.shrike.app.bench.statistics.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Reports with made-up figures. */
public final class ReportFixture {
    private static final int RUNS = 60;
    private static final String HASH = "ab".repeat(32);

    private ReportFixture() {}

    /** A result whose runs are near a median. */
    public static BenchReport.Result result(String file, String engine, String precision, double ms, long seed) {
        Random random = new Random(seed);
        long[] samples = new long[RUNS];
        long[] starts = new long[RUNS];
        for (int i = 0; i < RUNS; i++) {
            samples[i] = Math.round(ms * 1e6 * (1 + 0.005 * random.nextGaussian()));
            starts[i] = (long) (i * 2e7);
        }
        double[] times = Arrays.stream(samples).mapToDouble(nanos -> nanos / 1e6).toArray();
        Summary summary = Summary.of(times);
        boolean rival = engine.equals("onnxruntime");
        List<BenchReport.Layer> layers = rival ? List.of()
                : List.of(new BenchReport.Layer("/model.0/conv", "conv_f32 3x3s2 <16>", 1.5, 1000, 2000L, 0.9, 0.5),
                        new BenchReport.Layer("added", "copy", 0.1, 0, null, 0, null));
        return new BenchReport.Result(0, engine, engine + " details",
                new BenchReport.Model(file.replaceFirst("\\.[a-z]+$", ""), file, HASH, 1000, false), precision, 640,
                640,
                4, 1, rival ? null : new BenchReport.Opening(900, 500, 300, 100, 3),
                new BenchReport.WarmUp(12, true, 80, 300), summary, summary, Bootstrap.median(times, 0.95),
                1000 / summary.mean(), List.of(new BenchReport.Stage("network", ms, 1)), 3, starts, samples,
                samples.clone(), new BenchReport.Memory(1L << 27, 1L << 28, null, 1200, 0, 0),
                new BenchReport.Energy(null, null, null, "no meter"), layers, null,
                new BenchReport.Quality(List.of(), true, 0.0, 0, null, 0.01, 1.8, 0));
    }

    /** A report of these results, the first against the last. */
    public static BenchReport report(String device, List<BenchReport.Result> results) {
        List<BenchReport.Comparison> comparisons = new ArrayList<>();
        if (results.size() > 1) {
            double[] a = rounds(results.getFirst());
            double[] b = rounds(results.getLast());
            comparisons.add(new BenchReport.Comparison(0, results.size() - 1, Bootstrap.ratio(a, b, 0.95), a.length,
                    Verdict.ofRounds(a, b)));
        }
        return new BenchReport(1, "shrike 1.0", "2026-01-02T03:04:05Z", 12.5,
                new BenchReport.Device(device,
                        List.of(new BenchReport.Fact("board", device), new BenchReport.Fact("governor", "ondemand"))),
                new BenchReport.Settings("back-to-back", "tiles", 3, 20, 0.02), results, comparisons,
                List.of(new BenchReport.Absent("yolov5n, opencv int8", "cannot")),
                List.of(new BenchReport.Moment(0.1, 50.0, 1800.0, null), new BenchReport.Moment(0.6, 52.5, null, 5.5)),
                List.of(new BenchReport.Imported("benchncnn", "yolov5n", 4, 8, 10, 11, null, null, 12.5)),
                List.of(new BenchReport.Accuracy("yolov5n", "yolov5n.onnx", 0.45, 0.28)));
    }

    private static double[] rounds(BenchReport.Result result) {
        return Arrays.stream(result.networkNs()).mapToDouble(nanos -> nanos / 1e6).toArray();
    }
}
