package dev.shrike.cpu;

/** One call of a plan: everything it needs was prepared, so running it makes no garbage. */
abstract class Step {
    private final String node;
    private final String kernel;
    private final long macs;

    Step(String node, String kernel, long macs) {
        this.node = node;
        this.kernel = kernel;
        this.macs = macs;
    }

    /** Name of the graph node. */
    final String node() {
        return node;
    }

    /** What runs, for people. */
    final String kernel() {
        return kernel;
    }

    /** Multiply-accumulates, or 0. */
    final long macs() {
        return macs;
    }

    /** Runs the step; the status is 0 on success. */
    abstract int execute();

    /** A text for a status of {@link #execute}. */
    abstract String statusText(int status);
}
