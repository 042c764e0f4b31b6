package dev.shrike.cpu.steps;

/** One call of a plan: everything it needs was prepared, so running it makes no garbage. */
public abstract class Step {
    private final String node;
    private final String kernel;
    private final long macs;

    public Step(String node, String kernel, long macs) {
        this.node = node;
        this.kernel = kernel;
        this.macs = macs;
    }

    /** Name of the graph node. */
    public final String node() {
        return node;
    }

    /** What runs, for people. */
    public final String kernel() {
        return kernel;
    }

    /** Multiply-accumulates, or 0. */
    public final long macs() {
        return macs;
    }

    /** Runs the step; the status is 0 on success. */
    public abstract int execute();

    /** A text for a status of {@link #execute}. */
    public abstract String statusText(int status);
}
