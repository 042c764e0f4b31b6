package dev.shrike.app;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code shrike} itself, which only has sub-commands. */
@Command(
        name = "shrike",
        description = "Finds objects in images with YOLOv5 and YOLOv8 networks.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "COMMAND",
        footer = {"", "'shrike help COMMAND' explains a command. Exit codes: 0 ok, 1 failure, 2 usage."})
final class RootCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--debug",
            scope = ScopeType.INHERIT,
            description = "Print the stack trace of an error, as SHRIKE_DEBUG=1 does.")
    private boolean debug;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "say what to do: shrike detect");
    }
}
