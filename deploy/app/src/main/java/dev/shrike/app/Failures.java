package dev.shrike.app;

import dev.shrike.ShrikeException;
import dev.shrike.files.PrintableText;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Arrays;
import picocli.CommandLine;

/** Turns what a command throws into one line on the error output and an exit code. */
final class Failures {
    private final Console console;

    Failures(Console console) {
        this.console = console;
    }

    /** A command line that makes no sense: what is wrong, and where help is. */
    int usage(CommandLine.ParameterException e, String[] args) {
        CommandLine command = e.getCommandLine();
        console.error((e.getMessage() == null ? "bad arguments" : e.getMessage().strip()) + suggestion(e));
        console.note("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
        trace(e, args);
        return ExitCode.USAGE;
    }

    /** The option or command that was probably meant. */
    private static String suggestion(CommandLine.ParameterException e) {
        if (!(e instanceof CommandLine.UnmatchedArgumentException unmatched) || unmatched.getUnmatched().isEmpty()) {
            return "";
        }
        CommandLine.Model.CommandSpec spec = e.getCommandLine().getCommandSpec();
        String given = unmatched.getUnmatched().getFirst().replaceFirst("=.*", "");
        if (unmatched.isUnknownOption()) {
            return Nearest.of(given, spec.optionsMap().keySet()).map(option -> ", did you mean '" + option + "'?")
                    .orElse("");
        }
        return Nearest.of(given, spec.subcommands().keySet())
                .map(command -> ", did you mean '" + spec.qualifiedName() + " " + command + "'?").orElse("");
    }

    /** Anything that ended a command. */
    int failure(Throwable thrown, String... args) {
        int code =
                switch (thrown) {
                    case Console.ClosedOutputException _ -> ExitCode.OK;
                    case UsageException e -> {
                        console.error(e.getMessage());
                        yield ExitCode.USAGE;
                    }
                    case ShrikeException e -> report(e.getMessage());
                    case FileSystemException e -> report(fileError(e));
                    case IOException e -> report(e.getMessage());
                    case UncheckedIOException e -> failure(e.getCause());
                    case OutOfMemoryError e -> report("out of memory (" + e.getMessage() + "); Java may use "
                            + Runtime.getRuntime().maxMemory() / (1 << 20)
                            + " MiB of heap here, SHRIKE_JAVA_OPTIONS=-Xmx2g gives it more");
                    case StackOverflowError _ -> report("the input is nested too deeply");
                    default -> report("unexpected error, please report it with what --debug prints: " + thrown);
                };
        trace(thrown, args);
        return code;
    }

    private int report(String message) {
        console.error(message);
        return ExitCode.FAILURE;
    }

    private void trace(Throwable thrown, String[] args) {
        if (System.getenv("SHRIKE_DEBUG") != null || Arrays.asList(args).contains("--debug")) {
            StringWriter text = new StringWriter();
            thrown.printStackTrace(new PrintWriter(text, true));
            text.toString().lines().forEach(line -> console.err()
                    .println((line.startsWith("\t") ? "\t" : "") + PrintableText.of(line.strip())));
        }
    }

    /** What a file system error means, for people: the JDK's own message may be the bare file name. */
    static String fileError(FileSystemException e) {
        String reason =
                switch (e) {
                    case NoSuchFileException _ -> "no such file or folder";
                    case AccessDeniedException _ -> "permission denied";
                    case NotDirectoryException _ -> "not a folder";
                    case FileAlreadyExistsException _ -> "is in the way";
                    default -> e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
                };
        return e.getFile() + ": " + reason;
    }
}
