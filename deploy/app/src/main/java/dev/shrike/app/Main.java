package dev.shrike.app;

import dev.shrike.app.bench.BenchCommand;
import dev.shrike.app.build.BuildCommand;
import dev.shrike.app.catalogue.Catalogue;
import dev.shrike.app.catalogue.ModelsCommand;
import dev.shrike.app.catalogue.StderrProgress;
import dev.shrike.app.compress.CompressCommand;
import dev.shrike.app.detect.DetectCommand;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.doctor.DoctorCommand;
import dev.shrike.app.prune.PruneCommand;
import dev.shrike.app.quantize.CalibrateCommand;
import dev.shrike.app.quantize.QuantizeCommand;
import dev.shrike.app.train.TrainCommand;
import dev.shrike.app.serve.ServeCommand;
import dev.shrike.app.start.OwnProcess;
import dev.shrike.app.val.ValCommand;
import dev.shrike.vision.Images;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import picocli.CommandLine;

/** The {@code shrike} command. Exit codes: 0 ok, 1 failure, 2 usage. */
public final class Main {
    private Main() {}

    /** Runs the command and ends the process. */
    public static void main(String[] args) {
        OwnProcess.prepare();
        OutputStream out = new FileOutputStream(FileDescriptor.out);
        PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        Console console = new Console(
                out, err, Boolean.getBoolean("shrike.terminal.out"), Boolean.getBoolean("shrike.terminal.err"));
        System.exit(run(console, args));
    }

    /** The exit code of the command after it ran with these streams, neither of them a terminal. */
    public static int run(String[] args, PrintStream out, PrintStream err) {
        return run(new Console(out, err, false, false), args);
    }

    private static int run(Console console, String... args) {
        Failures failures = new Failures(console);
        // --max-pixels sets it.
        String pixels = System.getProperty(Images.MAX_PIXELS_PROPERTY);
        try {
            return commandLine(console, failures).execute(args);
        } catch (Throwable e) {
            // Picocli lets errors such as OutOfMemoryError pass.
            return failures.failure(e, args);
        } finally {
            if (pixels == null) {
                System.clearProperty(Images.MAX_PIXELS_PROPERTY);
            } else {
                System.setProperty(Images.MAX_PIXELS_PROPERTY, pixels);
            }
        }
    }

    /** The command as picocli knows it, which manual pages and completion are made from. */
    public static CommandLine commandLine(PrintStream out, PrintStream err) {
        Console console = new Console(out, err, false, false);
        return commandLine(console, new Failures(console));
    }

    static CommandLine commandLine(Console console, Failures failures) {
        Function<Boolean, ModelStore> store = progress -> new CatalogueStore(
                Catalogue.open(), new StderrProgress(console.err(), progress && console.errTerminal()));
        CommandLine line = new CommandLine(new RootCommand())
                .addSubcommand(new DetectCommand(console, store))
                .addSubcommand(new ValCommand(console, store))
                .addSubcommand(BenchCommand.line(console, store))
                .addSubcommand(new BuildCommand(console, store))
                .addSubcommand(new CalibrateCommand(console, store))
                .addSubcommand(new QuantizeCommand(console, store))
                .addSubcommand(new PruneCommand(console, store))
                .addSubcommand(new TrainCommand(console, store))
                .addSubcommand(new ServeCommand(console, store))
                .addSubcommand(new CompressCommand(console, store))
                .addSubcommand(new ModelsCommand())
                .addSubcommand(new DoctorCommand(console))
                .addSubcommand(new CommandLine.HelpCommand())
                .setOut(new PrintWriter(console.out(), true, StandardCharsets.UTF_8))
                .setErr(new PrintWriter(console.err(), true, StandardCharsets.UTF_8))
                // As with YOLOv5's own commands, the last of several wins.
                .setOverwrittenOptionsAllowed(true)
                .setUsageHelpAutoWidth(false)
                .setUsageHelpWidth(100)
                .setExecutionStrategy(
                        parsed -> HelpAll.shown(parsed) ? ExitCode.OK : new CommandLine.RunLast().execute(parsed))
                .setParameterExceptionHandler(failures::usage)
                .setExecutionExceptionHandler(
                        (e, command, result) -> failures.failure(e, result.originalArgs().toArray(String[]::new)));
        line.setColorScheme(CommandLine.Help.defaultColorScheme(
                console.outTerminal() ? CommandLine.Help.Ansi.AUTO : CommandLine.Help.Ansi.OFF));
        return line;
    }
}
