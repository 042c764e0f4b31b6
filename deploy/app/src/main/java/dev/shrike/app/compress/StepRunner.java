package dev.shrike.app.compress;

import dev.shrike.OperationInterruptedException;
import dev.shrike.ShrikeException;
import dev.shrike.app.ChildJvm;
import dev.shrike.app.Main;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Runs a command of {@code shrike}. */
@FunctionalInterface
interface StepRunner {
    /**
     * The exit code of the command.
     *
     * @param output file for what it prints
     */
    int run(List<String> command, Path output);

    private static void removed(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The program ends, and the hook runs.
        }
    }

    /** Each command in a process of its own, so that the memory of one is gone before the next. */
    static StepRunner processes() {
        return (command, output) -> {
            Process process = null;
            Thread hook = null;
            try {
                process = new ProcessBuilder(ChildJvm.command(Main.class, command))
                        .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                        .redirectOutput(output.toFile()).redirectError(ProcessBuilder.Redirect.INHERIT).start();
                // Whoever ends this command does not want the step to go on alone.
                hook = new Thread(process::destroy);
                Runtime.getRuntime().addShutdownHook(hook);
                return process.waitFor();
            } catch (IOException e) {
                throw new ShrikeException("'shrike " + command.getFirst() + "' cannot be run: " + e.getMessage(), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new OperationInterruptedException("interrupted; the same command goes on from here", e);
            } finally {
                if (process != null) {
                    process.destroy();
                }
                if (hook != null) {
                    removed(hook);
                }
            }
        };
    }
}
