package dev.shrike.app.bench.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The report as one page that needs neither a network nor a script; it is right in the dark and in the light. */
public final class HtmlReport {
    private static final String STYLE = """
            :root{color-scheme:light dark;--paper:#fff;--ink:#1d2127;--soft:#5b6470;--grid:#dfe3e8;--mark:#b42318;
            --c0:#2563a8;--c1:#c2571a;--c2:#2c8a57;--c3:#8e44ad;--c4:#b58a00;--c5:#0f8b8d;--c6:#b03a6b;--c7:#6b7280}
            @media (prefers-color-scheme:dark){:root{--paper:#15181c;--ink:#e7eaee;--soft:#a3acb8;--grid:#343a42;
            --mark:#ff8a7a;--c0:#6ea8e6;--c1:#f0955c;--c2:#68c391;--c3:#c48ae0;--c4:#e0bd4f;--c5:#57c4c6;--c6:#e582ab;
            --c7:#a9b0ba}}
            body{background:var(--paper);color:var(--ink);font:15px/1.45 system-ui,sans-serif;margin:2rem auto;
            max-width:1000px;padding:0 1rem}
            h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2.2rem}h3{font-size:1rem;margin-bottom:.3rem}
            table{border-collapse:collapse;display:block;overflow-x:auto}
            th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid var(--grid);white-space:nowrap}
            th:first-child,td:first-child{text-align:left}td.text{white-space:normal;text-align:left;
            overflow-wrap:anywhere}
            .soft{color:var(--soft)}.mark{color:var(--mark);font-weight:600}
            svg{max-width:100%;height:auto;display:block}svg text{fill:var(--ink);font-size:12px}
            .grid{stroke:var(--grid);stroke-width:1}.ink{stroke:var(--ink);stroke-width:2}
            .line{fill:none;stroke-width:1.4}.heat{stroke:var(--mark);stroke-dasharray:5 3}
            """;

    private HtmlReport() {}

    /** The page of one device. */
    public static String page(BenchReport report) {
        StringBuilder body = new StringBuilder();
        body.append("<h1>").append(escape(report.device().name())).append("</h1><p class=\"soft\">")
                .append(escape(
                        report.version() + ", " + report.started() + ", " + report.settings().mode() + ", image: "
                                + report.settings().image()))
                .append("</p>");
        for (int group : report.results().stream().map(BenchReport.Result::group).distinct().sorted().toList()) {
            group(body, report, group);
        }
        accuracy(body, report);
        imported(body, report);
        absent(body, report);
        facts(body, report);
        return page(report.device().name(), body.toString());
    }

    /** A page with that body in the style of all of them. */
    static String page(String title, String body) {
        StringBuilder colours = new StringBuilder();
        for (int i = 0; i < Svg.COLOURS; i++) {
            colours.append(".c").append(i).append("{fill:var(--c").append(i).append(")}.s").append(i)
                    .append("{stroke:var(--c").append(i).append(")}");
        }
        return "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\""
                + "width=device-width,initial-scale=1\"><link rel=\"icon\" href=\"data:,\"><title>" + escape(title)
                + "</title><style>" + STYLE.replace("\n", "") + colours + "</style></head><body>" + body
                + "</body></html>";
    }

    private static void group(StringBuilder body, BenchReport report, int group) {
        List<BenchReport.Result> results =
                report.results().stream().filter(result -> result.group() == group).toList();
        BenchReport.Result first = results.getFirst();
        body.append("<h2>").append(escape(first.task())).append("</h2>");
        first.quality().disturbed().forEach(
                reason -> body.append("<p class=\"mark\">Disturbed: ").append(escape(reason)).append("</p>"));
        if (!first.quality().tight()) {
            body.append(String.format(Locale.ROOT, "<p class=\"mark\">Disturbed: the intervals did not become as narrow"
                    + " as &plusmn;%.1f %%</p>", 100 * report.settings().precision()));
        }
        table(body, report, results);
        chart(body, "Medians with 95 % intervals", Charts.bars("medians", "ms", results.stream()
                .map(result -> new Charts.Bar(result.name(), result.latency().p50(), result.median().low(),
                        result.median().high(), result.engineDetails()))
                .toList()));
        chart(body, "Distribution", Charts.distribution(results));
        chart(body, "Over time", Charts.overTime(results, report.timeline()));
        for (BenchReport.Result result : results) {
            if (!result.layers().isEmpty()) {
                body.append("<details><summary>Layers of ").append(escape(result.name())).append("</summary>");
                chart(body, "The longest", Charts.layers(result));
                layers(body, result);
                body.append("</details>");
            }
        }
    }

    private static void chart(StringBuilder body, String title, String svg) {
        body.append("<h3>").append(title).append("</h3>").append(svg);
    }

    private static void table(StringBuilder body, BenchReport report, List<BenchReport.Result> results) {
        head(body, "milliseconds", "median", "95 %", "min", "mean", "p90", "p95", "p99", "max", "stddev", "network",
                "images/s", "cold", "load", "first", "RSS MiB", "mJ", "ratios of networks");
        for (BenchReport.Result result : results) {
            List<String> cells = new ArrayList<>(List.of(result.name(), two(result.latency().p50()),
                    two(result.median().low()) + "–" + two(result.median().high())));
            for (double value : new double[] {result.latency().min(), result.latency().mean(), result.latency().p90(),
                    result.latency().p95(), result.latency().p99(), result.latency().max(), result.latency().stddev(),
                    result.network().p50(), result.imagesPerSecond()}) {
                cells.add(two(value));
            }
            cells.add(result.opening() == null ? "–" : two(result.opening().cold()));
            cells.add(two(result.warmUp().loadMs()));
            cells.add(two(result.warmUp().firstMs()));
            cells.add(result.memory().residentBytes() == null ? "–"
                    : two(result.memory().residentBytes() / (double) (1 << 20)));
            cells.add(result.energy().millijoules() == null ? "–" : two(result.energy().millijoules()));
            cells.add(ratios(report, result));
            row(body, cells);
        }
        body.append("</table>");
        for (BenchReport.Result result : results) {
            if (result.stages().size() > 1) {
                body.append("<p class=\"soft\">").append(escape(result.name())).append(": ");
                result.stages().forEach(stage -> body.append(String.format(Locale.ROOT, "%s %.2f ms (%.1f %%) ",
                        escape(stage.name()), stage.ms(), 100 * stage.share())));
                body.append("</p>");
            }
        }
        body.append("<p class=\"soft\">Java: ").append(escape(TextReport.java(results))).append("</p>");
        if (results.getFirst().energy().millijoules() == null) {
            body.append("<p class=\"soft\">Energy: ").append(escape(results.getFirst().energy().note()))
                    .append("</p>");
        }
    }

    private static String ratios(BenchReport report, BenchReport.Result result) {
        return String.join("; ", report.comparisons().stream()
                .filter(comparison -> report.results().get(comparison.a()) == result)
                .map(comparison -> TextReport.ratio(comparison) + " of "
                        + report.results().get(comparison.b()).name())
                .toList());
    }

    private static void layers(StringBuilder body, BenchReport.Result result) {
        head(body, "layer", "ms", "MACs", "bytes", "GMAC/s", "of the peak", "kernel");
        for (BenchReport.Layer layer : result.layers()) {
            row(body, List.of(layer.node(), String.format(Locale.ROOT, "%.3f", layer.ms()), Long.toString(layer.macs()),
                    layer.bytes() == null ? "–" : layer.bytes().toString(), two(layer.gmacs()),
                    layer.peak() == null ? "–" : String.format(Locale.ROOT, "%.0f %%", 100 * layer.peak()),
                    layer.kernel()));
        }
        body.append("</table>");
    }

    private static void accuracy(StringBuilder body, BenchReport report) {
        List<Charts.Point> points = new ArrayList<>();
        for (BenchReport.Result result : report.results()) {
            accuracyOf(report, result).ifPresent(accuracy -> points
                    .add(new Charts.Point(result.name() + ", " + result.task(), result.latency().p50(),
                            accuracy.map())));
        }
        if (!points.isEmpty()) {
            body.append("<h2>Accuracy against latency</h2>")
                    .append(Charts.scatter("accuracy against latency", "ms", "mAP50-95", points));
        }
    }

    /** The accuracy of the file that ran; what was made for the bench alone has none. */
    static Optional<BenchReport.Accuracy> accuracyOf(BenchReport report, BenchReport.Result result) {
        return report.accuracy().stream()
                .filter(accuracy -> !result.model().made() && accuracy.file().equals(result.model().file()))
                .findFirst();
    }

    private static void imported(StringBuilder body, BenchReport report) {
        if (report.imported().isEmpty()) {
            return;
        }
        body.append("<h2>Of other tools</h2>");
        head(body, "", "runs", "min ms", "mean", "median", "p99", "max");
        for (BenchReport.Imported one : report.imported()) {
            row(body, List.of(one.tool() + " " + one.name(), one.count() == null ? "–" : one.count().toString(),
                    two(one.minMs()), two(one.meanMs()), one.p50Ms() == null ? "–" : two(one.p50Ms()),
                    one.p99Ms() == null ? "–" : two(one.p99Ms()), two(one.maxMs())));
        }
        body.append("</table>");
    }

    private static void absent(StringBuilder body, BenchReport report) {
        if (report.absent().isEmpty()) {
            return;
        }
        body.append("<h2>Not taken</h2><ul>");
        report.absent().forEach(absent -> body.append("<li>").append(escape(absent.what())).append(": ")
                .append(escape(absent.reason())).append("</li>"));
        body.append("</ul>");
    }

    private static void facts(StringBuilder body, BenchReport report) {
        body.append("<h2>The device</h2><table>");
        report.device().facts().forEach(fact -> body.append("<tr><td>").append(escape(fact.name()))
                .append("</td><td class=\"text\">").append(escape(fact.value())).append("</td></tr>"));
        body.append("</table>");
    }

    static void head(StringBuilder body, String... names) {
        body.append("<table><tr>");
        for (String name : names) {
            body.append("<th>").append(escape(name)).append("</th>");
        }
        body.append("</tr>");
    }

    static void row(StringBuilder body, List<String> cells) {
        body.append("<tr>");
        cells.forEach(cell -> body.append("<td>").append(escape(cell)).append("</td>"));
        body.append("</tr>");
    }

    static String two(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }

    private static String escape(String text) {
        return Svg.escape(text);
    }
}
