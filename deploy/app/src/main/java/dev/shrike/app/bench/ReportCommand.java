package dev.shrike.app.bench;

import dev.shrike.ShrikeException;
import dev.shrike.app.Console;
import dev.shrike.app.ExitCode;
import dev.shrike.app.HelpAll;
import dev.shrike.app.PathArgument;
import dev.shrike.app.bench.report.BenchJson;
import dev.shrike.app.bench.report.BenchReport;
import dev.shrike.app.bench.report.DevicesPage;
import dev.shrike.files.FileReplacement;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code shrike bench report}: one page of many devices. */
@Command(
        name = "report",
        description = {
                "Makes one page of the reports of many devices: all that 'shrike bench --json FILE' wrote into a"
                        + " folder.",
                ""
        },
        mixinStandardHelpOptions = true,
        versionProvider = dev.shrike.app.Version.class)
final class ReportCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private HelpAll help;

    @Spec
    private CommandSpec spec;

    @Parameters(arity = "1", paramLabel = "FOLDER", description = "Folder of the JSON files, or one such file.")
    private String folder;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE.html",
            description = "Page to write (default: report.html in the folder).")
    private String output;

    ReportCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        Path from = PathArgument.of(folder, spec);
        if (!Files.exists(from)) {
            throw new ShrikeException(from + ": no such folder; give one with what 'shrike bench --json FILE' wrote");
        }
        Path page = output != null ? PathArgument.of(output, spec)
                : (Files.isDirectory(from) ? from : from.toAbsolutePath().getParent()).resolve("report.html");
        FileReplacement.requireFolder(page);
        Map<String, BenchReport> reports = new LinkedHashMap<>();
        for (Path file : files(from)) {
            try {
                reports.put(file.getFileName().toString().replaceFirst("\\.json$", ""), BenchJson.read(file));
            } catch (ShrikeException e) {
                if (!Files.isDirectory(from)) {
                    throw e;
                }
                console.error(e.getMessage());
            }
        }
        if (reports.isEmpty()) {
            throw new ShrikeException(from + ": has no report of 'shrike bench --json FILE'");
        }
        byte[] html = DevicesPage.page(reports).getBytes(StandardCharsets.UTF_8);
        FileReplacement.write(page, stream -> stream.write(html));
        console.line(reports.size() + (reports.size() == 1 ? " report" : " reports") + " in " + page);
        return reports.size() == files(from).size() ? ExitCode.OK : ExitCode.FAILURE;
    }

    private static List<Path> files(Path from) {
        if (!Files.isDirectory(from)) {
            return List.of(from);
        }
        try (Stream<Path> entries = Files.list(from)) {
            return entries.filter(file -> file.toString().endsWith(".json")).sorted().toList();
        } catch (IOException e) {
            throw new ShrikeException(from + ": cannot be listed: " + e.getMessage(), e);
        }
    }
}
