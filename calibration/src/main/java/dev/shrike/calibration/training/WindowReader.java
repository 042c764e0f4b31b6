package dev.shrike.calibration.training;

import dev.shrike.ModelException;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.graph.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Reads windows of images in a thread of its own, so that the next are there when they are wanted. */
final class WindowReader implements AutoCloseable {
    private final CalibrationImages images;
    private final ExecutorService thread = Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());

    WindowReader(CalibrationImages images) {
        this.images = images;
    }

    /** A window of an image, which the seed chooses; as likely as not a mirror image. */
    record Choice(int image, long seed) {}

    /** Begins to read. */
    Future<List<float[]>> read(List<Choice> choices) {
        return thread.submit(() -> {
            List<float[]> windows = new ArrayList<>();
            for (Choice choice : choices) {
                windows.add(window(choice));
            }
            return windows;
        });
    }

    private float[] window(Choice choice) {
        Shape shape = images.shape();
        float[] pixels = new float[Math.toIntExact(shape.elements())];
        images.read(choice.image(), choice.seed(), pixels);
        if ((choice.seed() & 1) == 0) {
            return pixels;
        }
        int width = (int) shape.dim(3);
        float[] mirrored = new float[pixels.length];
        for (int pixel = 0; pixel < pixels.length / 3; pixel++) {
            int to = pixel / width * width + width - 1 - pixel % width;
            System.arraycopy(pixels, 3 * pixel, mirrored, 3 * to, 3);
        }
        return mirrored;
    }

    /** What was begun. */
    static <T> T await(Future<T> running) {
        try {
            return running.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ModelException("tuning was interrupted");
        }
    }

    @Override
    public void close() {
        // Waits for what is being read: the images may be closed after this.
        thread.close();
    }
}
