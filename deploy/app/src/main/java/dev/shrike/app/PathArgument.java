package dev.shrike.app;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** Paths as they are given to a command. */
public final class PathArgument {
    private PathArgument() {}

    /**
     * The path of that text.
     *
     * @param command that it was given to
     * @throws ParameterException if this system has no such paths
     */
    public static Path of(String text, CommandSpec command) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new ParameterException(command.commandLine(), "'" + e.getInput() + "' is no path: " + e.getReason());
        }
    }
}
