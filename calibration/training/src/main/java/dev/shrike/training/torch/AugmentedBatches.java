package dev.shrike.training.torch;

import dev.shrike.OperationInterruptedException;
import dev.shrike.training.data.AugmentedImages;
import dev.shrike.training.data.Example;
import dev.shrike.training.data.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.pytorch.Tensor;

/**
 * Batches of augmented images. The next batch is read while the network learns from this one; what a batch holds does
 * not
 * depend on the number of threads. The last images of an epoch that fill no batch are left out of it. Confined to one
 * thread but for its own readers.
 */
final class AugmentedBatches implements BatchSource {
    private static final int TARGET_VALUES = 6;

    private final AugmentedImages images;
    private final int size;
    private final int plainFrom;
    private final ExecutorService readers;
    private int nextEpoch = -1;
    private int nextBatch = -1;
    private List<Future<Example>> next = List.of();
    private int orderEpoch = -1;
    private int[] order = new int[0];

    /**
     * Batches.
     *
     * @param size images of a batch; at most as many as there are
     * @param plainFrom epoch from which on there are no mosaics
     * @param threads that read
     */
    AugmentedBatches(AugmentedImages images, int size, int plainFrom, int threads) {
        if (size < 1 || threads < 1) {
            throw new IllegalArgumentException("batches of " + size + ", " + threads + " threads");
        }
        this.images = images;
        this.size = Math.min(size, images.size());
        this.plainFrom = plainFrom;
        this.readers = Executors.newFixedThreadPool(threads, Thread.ofPlatform().daemon().name("images").factory());
    }

    @Override
    public int batches() {
        return images.size() / size;
    }

    @Override
    public Batch batch(int epoch, int batch) {
        List<Future<Example>> wanted = epoch == nextEpoch && batch == nextBatch ? next : start(epoch, batch);
        boolean last = batch + 1 == batches();
        nextEpoch = last ? epoch + 1 : epoch;
        nextBatch = last ? 0 : batch + 1;
        List<Example> examples = new ArrayList<>(size);
        for (Future<Example> each : wanted) {
            examples.add(await(each));
        }
        next = start(nextEpoch, nextBatch);
        return new Batch(pixels(examples), targets(examples));
    }

    private List<Future<Example>> start(int epoch, int batch) {
        if (epoch != orderEpoch) {
            order = images.order(epoch);
            orderEpoch = epoch;
        }
        List<Future<Example>> started = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            int index = order[batch * size + i];
            started.add(readers.submit(() -> images.read(epoch, index, epoch < plainFrom)));
        }
        return started;
    }

    private static Example await(Future<Example> future) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new OperationInterruptedException("interrupted while images were read", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    private Tensor pixels(List<Example> examples) {
        int each = 3 * images.width() * images.height();
        byte[] all = new byte[size * each];
        for (int i = 0; i < size; i++) {
            System.arraycopy(examples.get(i).pixels(), 0, all, i * each, each);
        }
        return TensorMath.ofBytes(all, size, 3, images.height(), images.width());
    }

    private Tensor targets(List<Example> examples) {
        int count = examples.stream().mapToInt(example -> example.targets().size()).sum();
        float[] values = new float[TARGET_VALUES * count];
        int at = 0;
        for (int i = 0; i < size; i++) {
            for (Target target : examples.get(i).targets()) {
                values[at++] = i;
                values[at++] = target.classId();
                values[at++] = target.x() / images.width();
                values[at++] = target.y() / images.height();
                values[at++] = target.width() / images.width();
                values[at++] = target.height() / images.height();
            }
        }
        return TensorMath.ofFloats(values, count, TARGET_VALUES);
    }

    @Override
    public void close() {
        readers.shutdownNow();
    }
}
