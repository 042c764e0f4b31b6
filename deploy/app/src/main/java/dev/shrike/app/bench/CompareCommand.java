package dev.shrike.app.bench;

import dev.shrike.app.Console;
import dev.shrike.app.ExitCode;
import dev.shrike.app.HelpAll;
import dev.shrike.app.PathArgument;
import dev.shrike.app.bench.report.BenchJson;
import dev.shrike.app.bench.report.RunComparison;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code shrike bench compare}: two runs of the bench. */
@Command(
        name = "compare",
        description = {
                "Compares two runs of 'shrike bench --json FILE': before and after a change, or two devices.",
                "A row each for what both have. The ratio is of the medians, B over A; whether it means anything is"
                        + " told"
                        + " by the rank test of Mann and Whitney on the medians of the rounds, at 1 %%. '~' stands"
                        + " where"
                        + " nothing can be told.",
                ""
        },
        mixinStandardHelpOptions = true,
        versionProvider = dev.shrike.app.Version.class)
final class CompareCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private HelpAll help;

    @Spec
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "A.json", description = "The run that counts as 1.")
    private String first;

    @Parameters(index = "1", paramLabel = "B.json", description = "The run that is compared with it.")
    private String second;

    CompareCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        RunComparison comparison = RunComparison.of(BenchJson.read(PathArgument.of(first, spec)),
                BenchJson.read(PathArgument.of(second, spec)));
        comparison.lines().forEach(console::line);
        if (comparison.rows().isEmpty()) {
            console.error("the two runs have no model, engine, precision, size and number of threads in common");
            return ExitCode.FAILURE;
        }
        return ExitCode.OK;
    }
}
