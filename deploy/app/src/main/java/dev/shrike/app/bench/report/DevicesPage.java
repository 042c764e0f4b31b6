package dev.shrike.app.bench.report;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One page that compares the reports of many devices, task by task. */
public final class DevicesPage {
    private DevicesPage() {}

    /**
     * The page.
     *
     * @param reports by the name that tells them apart
     */
    public static String page(Map<String, BenchReport> reports) {
        StringBuilder body = new StringBuilder("<h1>Latency by device</h1>");
        devices(body, reports);
        Set<String> tasks = new LinkedHashSet<>();
        reports.values().forEach(report -> report.results().forEach(result -> tasks.add(task(result))));
        tasks.forEach(task -> task(body, reports, task));
        accuracy(body, reports);
        return HtmlReport.page("Latency by device", body.toString());
    }

    private static void devices(StringBuilder body, Map<String, BenchReport> reports) {
        HtmlReport.head(body, "report", "device", "power mode", "governor", "kernel", "Shrike", "begun");
        reports.forEach((name, report) -> HtmlReport.row(body,
                List.of(name, report.device().name(), report.device().fact("power mode"),
                        report.device().fact("governor"), report.device().fact("kernel"), report.version(),
                        report.started())));
        body.append("</table>");
    }

    /** Devices have other numbers of cores, so threads tell the rows apart, not the tasks. */
    private static String task(BenchReport.Result result) {
        return result.model().name() + (result.width() == 0 ? "" : " " + result.width() + "x" + result.height())
                + (result.batch() == 1 ? "" : ", batch " + result.batch());
    }

    private static void task(StringBuilder body, Map<String, BenchReport> reports, String task) {
        body.append("<h2>").append(Svg.escape(task)).append("</h2>");
        List<Charts.Bar> bars = new ArrayList<>();
        StringBuilder table = new StringBuilder();
        HtmlReport.head(table, "report", "engine", "threads", "median ms", "p99 ms", "images/s", "mJ", "disturbed");
        reports.forEach((name, report) -> report.results().stream().filter(result -> task(result).equals(task))
                .forEach(result -> {
                    bars.add(new Charts.Bar(name + ", " + result.name() + ", " + result.threads(),
                            result.median().estimate(), result.median().low(), result.median().high(),
                            report.device().name()));
                    boolean fit = result.quality().disturbed().isEmpty() && result.quality().tight();
                    HtmlReport.row(table, List.of(name, result.name(), Integer.toString(result.threads()),
                            HtmlReport.two(result.latency().p50()), HtmlReport.two(result.latency().p99()),
                            HtmlReport.two(result.imagesPerSecond()), result.energy().millijoules() == null ? "–"
                                    : HtmlReport.two(result.energy().millijoules()),
                            fit ? "" : "disturbed"));
                }));
        body.append(Charts.bars(task, "ms", bars)).append(table).append("</table>");
    }

    private static void accuracy(StringBuilder body, Map<String, BenchReport> reports) {
        List<Charts.Point> points = new ArrayList<>();
        reports.forEach((name, report) -> report.results().forEach(result -> HtmlReport.accuracyOf(report, result)
                .ifPresent(accuracy -> points.add(new Charts.Point(name + ", " + result.name() + ", " + task(result),
                        result.latency().p50(), accuracy.map())))));
        if (!points.isEmpty()) {
            body.append("<h2>Accuracy against latency</h2>")
                    .append(Charts.scatter("accuracy against latency", "ms", "mAP50-95", points));
        }
    }
}
