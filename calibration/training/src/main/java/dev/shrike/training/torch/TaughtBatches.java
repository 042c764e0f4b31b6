package dev.shrike.training.torch;

/** Batches that a teacher is shown before the network learns from them. Closes both. */
final class TaughtBatches implements BatchSource {
    private final BatchSource batches;
    private final Teacher teacher;

    TaughtBatches(BatchSource batches, Teacher teacher) {
        this.batches = batches;
        this.teacher = teacher;
    }

    @Override
    public int batches() {
        return batches.batches();
    }

    @Override
    public Batch batch(int epoch, int batch) {
        Batch next = batches.batch(epoch, batch);
        teacher.show(next.images());
        return next;
    }

    @Override
    public void close() {
        batches.close();
        teacher.close();
    }
}
