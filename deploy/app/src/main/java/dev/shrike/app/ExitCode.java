package dev.shrike.app;

/** What the process tells its caller. */
public final class ExitCode {
    /** Everything that was asked for is done. */
    public static final int OK = 0;

    /** Something failed; the error output says what. */
    public static final int FAILURE = 1;

    /** The command line makes no sense. */
    public static final int USAGE = 2;

    private ExitCode() {}
}
