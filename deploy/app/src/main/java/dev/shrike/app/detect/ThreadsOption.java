package dev.shrike.app.detect;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The number of threads, as all commands that run a network take it. */
public final class ThreadsOption {
    private static final int MOST = 256;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "Threads of the engine; 0 takes one per processor (default: ${DEFAULT-VALUE}). Kernels that"
                    + " 'shrike build' tries out are chosen for that number only.")
    private int threads;

    /**
     * Worker threads; 0 for one per processor.
     *
     * @throws ParameterException if they are fewer than 0, or too many
     */
    public int count() {
        if (threads < 0 || threads > MOST) {
            throw new ParameterException(spec.commandLine(),
                    "number of threads " + threads + " is not within 0 to " + MOST);
        }
        return threads;
    }
}
