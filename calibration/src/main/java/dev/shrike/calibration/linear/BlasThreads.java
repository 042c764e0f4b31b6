package dev.shrike.calibration.linear;

/**
 * Threads of the linear algebra, while it is open. OpenBLAS has one number of threads for the whole process, which
 * belongs to others too: when the last of those that are open is closed, it has the number that it had before the
 * first.
 */
public final class BlasThreads implements AutoCloseable {
    private static int open;
    private static int before;
    private boolean closed;

    private BlasThreads() {}

    /**
     * Lets the linear algebra of this process use that many threads until the result is closed.
     *
     * @param count 0 means one per processor
     */
    public static BlasThreads use(int count) {
        synchronized (BlasThreads.class) {
            if (open++ == 0) {
                before = OpenBlas.threads();
            }
            OpenBlas.threads(count == 0 ? Runtime.getRuntime().availableProcessors() : count);
            return new BlasThreads();
        }
    }

    @Override
    public void close() {
        synchronized (BlasThreads.class) {
            if (!closed && --open == 0) {
                OpenBlas.threads(before);
            }
            closed = true;
        }
    }
}
