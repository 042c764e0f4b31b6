package dev.shrike.heads;

/** Leaves one box for each object. Arrays are kept from call to call; confined to one thread at a time. */
public sealed interface Suppression permits NonMaxSuppression, SoftNonMaxSuppression {
    /** Number of boxes kept; {@link #kept} tells which, best score first. Scores of candidates may be lowered. */
    int run(Candidates boxes);

    /**
     * Index of the candidate that came out at this rank of the last run.
     *
     * @throws IndexOutOfBoundsException if fewer were kept
     */
    int kept(int rank);
}
