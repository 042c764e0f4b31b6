package dev.shrike;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.spi.Availability;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Binding;
import dev.shrike.spi.CandidateExecutor;
import dev.shrike.spi.CandidateQuery;
import dev.shrike.spi.CandidateSink;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.StepTime;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * An engine for batches of images of 64x64 whose networks see one box in each: around the centre, as wide as the grey
 * in the image's middle, 0 to 255, divided by 8. It can take frames and pick candidates by itself, if told to.
 */
final class GreyBackend implements Backend {
    private static final int BOXES = 252;
    private static final int VALUES = 7;
    private static final int PLANE = 64 * 64;

    private final boolean acceptsFrames;
    private final boolean picks;
    /** Images from this index on are left to the detector. */
    private int pickedImages = Integer.MAX_VALUE;
    private int runs;
    private int closed;
    private int decodedOnHost;
    /** Images of a batch that the model leaves open. */
    private int chosenBatch = 1;
    private final List<Integer> sizes = new ArrayList<>();

    GreyBackend(boolean acceptsFrames, boolean picks) {
        this.acceptsFrames = acceptsFrames;
        this.picks = picks;
    }

    /** Leaves images of the batch from this one on to the detector's decoder. */
    void pickOnlyBelow(int image) {
        pickedImages = image;
    }

    void chooseBatch(int images) {
        chosenBatch = images;
    }

    /** How many images each run was asked for. */
    List<Integer> sizes() {
        return sizes;
    }

    int runs() {
        return runs;
    }

    int closed() {
        return closed;
    }

    /** Images whose outputs were written out for the detector to decode. */
    int decodedOnHost() {
        return decodedOnHost;
    }

    @Override
    public String name() {
        return "grey";
    }

    @Override
    public Availability probe() {
        return new Availability.Available("always");
    }

    @Override
    public int rank() {
        return 0;
    }

    @Override
    public boolean runsBatches() {
        return true;
    }

    @Override
    public Grey open(Graph graph, ExecutorOptions options) {
        long batch = options.inputShapes().get("images").dim(0);
        return new Grey(batch == Shape.OPEN ? chosenBatch : (int) batch);
    }

    final class Grey implements CandidateExecutor {
        private final Arena arena = Arena.ofConfined();
        private final Binding input;
        private final Binding output;
        private final float[] greys;
        private CandidateQuery query;

        Grey(int batch) {
            input = new Binding("images", List.of(batch, 3, 64, 64), List.of(3 * PLANE, PLANE, 64, 1),
                    arena.allocate(4L * batch * 3 * PLANE, 64));
            output = new Binding("output", List.of(batch, BOXES, VALUES), List.of(BOXES * VALUES, VALUES, 1),
                    arena.allocate(4L * batch * BOXES * VALUES, 64));
            greys = new float[batch];
        }

        @Override
        public String description() {
            return query == null ? "grey" : "grey, picks";
        }

        @Override
        public List<Binding> inputs() {
            return List.of(input);
        }

        @Override
        public List<Binding> outputs() {
            return List.of(output);
        }

        @Override
        public List<Binding> taps() {
            return List.of();
        }

        @Override
        public boolean accept(Frame frame, int image) {
            if (!acceptsFrames) {
                return false;
            }
            long middle = 3L * (frame.height() / 2 * frame.width() + frame.width() / 2);
            greys[image] = (frame.pixels().get(ValueLayout.JAVA_BYTE, middle) & 0xff) / 255f;
            return true;
        }

        @Override
        public void run(int images) {
            sizes.add(images);
            CandidateExecutor.super.run(images);
        }

        @Override
        public void run() {
            runs++;
            for (int i = 0; i < greys.length; i++) {
                if (!acceptsFrames) {
                    greys[i] = input.image(i).memory().getAtIndex(ValueLayout.JAVA_FLOAT, 32 * 64 + 32);
                }
                write(i, query == null ? 1 : Float.NaN);
            }
        }

        /** The output of an image; what the executor picks is never read from there. */
        private void write(int image, float objectness) {
            float[] box = {32, 32, Math.round(greys[image] * 255) / 8f, 8, objectness, 0, 0.9f};
            for (int i = 0; i < VALUES; i++) {
                output.image(image).memory().setAtIndex(ValueLayout.JAVA_FLOAT, 17 * VALUES + i, box[i]);
            }
        }

        @Override
        public boolean pick(CandidateQuery wanted, Runnable onHost) {
            onHost.run();
            query = picks ? wanted : null;
            return picks;
        }

        @Override
        public boolean candidates(int image, CandidateSink sink) {
            if (image >= pickedImages) {
                decodedOnHost++;
                write(image, 1);
                return false;
            }
            if (query.wanted().get(1) && 0.9f > query.confidence()) {
                sink.addCentred(32, 32, Math.round(greys[image] * 255) / 8f, 8, 0.9f, 1);
            }
            return true;
        }

        @Override
        public List<StepTime> times() {
            return new ArrayList<>();
        }

        @Override
        public long nativeBytes() {
            return 0;
        }

        @Override
        public void close() {
            closed++;
            arena.close();
        }
    }
}
