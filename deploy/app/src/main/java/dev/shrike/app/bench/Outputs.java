package dev.shrike.app.bench;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.ShrikeException;
import dev.shrike.app.Console;
import dev.shrike.app.bench.report.BenchJson;
import dev.shrike.app.bench.report.BenchReport;
import dev.shrike.app.bench.report.CsvReport;
import dev.shrike.app.bench.report.HtmlReport;
import dev.shrike.app.bench.report.MarkdownReport;
import dev.shrike.app.bench.report.TextReport;
import dev.shrike.app.bench.rivals.ImportedTimes;
import dev.shrike.files.FileReplacement;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The files that a bench reads and writes beside its models. */
final class Outputs {
    /** Stands for the standard output. */
    static final Path STANDARD = Path.of("-");

    private final Console console;
    private final BenchRequest.Output output;

    Outputs(Console console, BenchRequest.Output output) {
        this.console = console;
        this.output = output;
    }

    /** What other commands and tools measured. */
    record Added(List<BenchReport.Imported> imported, List<BenchReport.Accuracy> accuracy) {}

    /** Complains now of what could not be written later. */
    void requireFolders() {
        files().forEach(FileReplacement::requireFolder);
    }

    private List<Path> files() {
        List<Path> files = new ArrayList<>();
        for (Optional<Path> file : List.of(output.json(), output.csv(), output.markdown(), output.html())) {
            file.filter(path -> !path.equals(STANDARD)).ifPresent(files::add);
        }
        return files;
    }

    /** The results of others that the request names. */
    Added read() {
        List<BenchReport.Imported> imported = new ArrayList<>();
        output.imports().forEach(file -> imported.addAll(ImportedTimes.read(file)));
        return new Added(imported, output.accuracies().stream().map(Outputs::accuracy).toList());
    }

    private static BenchReport.Accuracy accuracy(Path file) {
        try {
            JsonNode val = new ObjectMapper().readTree(Files.readString(file));
            String source = val.path("source").asText("");
            JsonNode map50 = val.at("/yolo/mAP50");
            JsonNode map = val.at("/yolo/mAP50_95");
            if (source.isEmpty() || !map50.isNumber() || !map.isNumber()) {
                throw new ShrikeException(file + ": has no model and mAP: give what 'shrike val --json' printed");
            }
            String name = source.substring(source.lastIndexOf('/') + 1);
            return new BenchReport.Accuracy(name.replaceFirst("\\.(onnx|shrike|engine)$", ""), name, map50.asDouble(),
                    map.asDouble());
        } catch (JacksonException e) {
            throw new ShrikeException(file + ": is no JSON of 'shrike val --json': "
                    + e.getOriginalMessage().lines().findFirst().orElse(""), e);
        } catch (IOException e) {
            throw new ShrikeException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** Writes all files that were asked for, and the table or the JSON to the standard output. */
    void write(BenchReport report) {
        boolean jsonOnly = output.json().filter(STANDARD::equals).isPresent();
        output.json().filter(path -> !path.equals(STANDARD)).ifPresent(path -> write(path, BenchJson.text(report)));
        output.csv().ifPresent(path -> write(path, CsvReport.text(report)));
        output.markdown().ifPresent(path -> write(path, MarkdownReport.text(report)));
        output.html().ifPresent(path -> write(path, HtmlReport.page(report)));
        if (jsonOnly) {
            console.line(BenchJson.text(report));
        } else if (!output.quiet()) {
            TextReport.lines(report, output.showLayers()).forEach(console::line);
        }
        if (!output.quiet()) {
            files().forEach(file -> console.note("written: " + file));
        }
    }

    private static void write(Path file, String text) {
        FileReplacement.write(file, stream -> stream.write((text + "\n").getBytes(StandardCharsets.UTF_8)));
    }
}
