package dev.shrike.app.detect;

import dev.shrike.app.PathArgument;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Where a command makes the folder of its run (see {@link RunFolder}). */
public final class RunFolderOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = "--project",
            paramLabel = "DIR",
            defaultValue = "runs/${COMMAND-NAME}",
            description = "Where the folder of the run is made (default: ${DEFAULT-VALUE}).")
    private String project;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            defaultValue = "exp",
            description = "Name of the folder; a number is added if it exists (default: ${DEFAULT-VALUE}).")
    private String name;

    @Option(names = "--exist-ok", description = "Write into the folder if it exists.")
    private boolean existOk;

    /**
     * The folder above that of the run.
     *
     * @throws ParameterException if it is no path
     */
    public Path project() {
        return path(project);
    }

    /**
     * The wanted name of the folder of the run.
     *
     * @throws ParameterException if it is no name of a folder
     */
    public String name() {
        if (name.isBlank() || name.equals(".") || name.equals("..") || name.indexOf('/') >= 0) {
            throw usage("--name '" + name + "' is no name of a folder; the folder above it is --project");
        }
        return path(name).toString();
    }

    /** Whether a folder that there is may be written into. */
    public boolean existOk() {
        return existOk;
    }

    private Path path(String text) {
        return PathArgument.of(text, spec);
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
