package dev.shrike;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.vision.Candidates;
import dev.shrike.vision.HeadDecoder;
import dev.shrike.vision.InputSize;
import dev.shrike.vision.Labels;
import dev.shrike.vision.Letterbox;
import dev.shrike.vision.LetterboxTransform;
import dev.shrike.vision.NonMaxSuppression;
import dev.shrike.vision.ScoreFilter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A detector that runs a network on one engine: letterbox, network, head decoder, non-maximum suppression. */
final class NetworkDetector implements Detector {
    private static final int CHANNELS = 3;

    private final String engine;
    private final GraphExecutor executor;
    private final Letterbox letterbox;
    private final HeadDecoder decoder;
    private final List<String> labels;
    private final ScoreFilter filter;
    private final NonMaxSuppression suppression;
    private final Candidates candidates = new Candidates();
    private boolean closed;

    private NetworkDetector(
            String engine, GraphExecutor executor, Letterbox letterbox, HeadDecoder decoder, List<String> labels,
            DetectorOptions options) {
        this.engine = engine;
        this.executor = executor;
        this.letterbox = letterbox;
        this.decoder = decoder;
        this.labels = labels;
        this.filter = ScoreFilter.of(options);
        this.suppression = new NonMaxSuppression(options.iou(), options.agnostic(), options.maxDetections());
    }

    /** Opens the network on the engine; what was opened is closed again if a later step fails. */
    static NetworkDetector open(
            Graph network, Map<String, String> choices, DetectorOptions options, Backend backend) {
        ValueInfo input = pictureInput(network);
        InputSize size = InputSize.choose(
                input.shape(), options.inputWidth(), options.inputHeight(), Labels.stride(network.metadata()));
        Shape shape = Shape.of(1, CHANNELS, size.height(), size.width());
        ExecutorOptions how = ExecutorOptions.DEFAULT.withThreads(options.threads())
                .withInputShapes(Map.of(input.name(), shape)).withChoices(choices);
        GraphExecutor executor = backend.open(network, how);
        Letterbox letterbox = null;
        try {
            HeadDecoder decoder =
                    HeadDecoder.of(executor.outputs(), size.width(), size.height(), network.metadata());
            List<String> labels = Labels.of(network.metadata(), decoder.classes());
            requireClasses(options.classes(), labels);
            letterbox = new Letterbox(pictureBinding(executor, input.name()));
            String engine = backend.name() + " (" + executor.description() + ")";
            return new NetworkDetector(engine, executor, letterbox, decoder, labels, options);
        } catch (RuntimeException | Error e) {
            if (letterbox != null) {
                letterbox.close();
            }
            executor.close();
            throw e;
        }
    }

    @Override
    public Detections detect(Frame frame) {
        if (closed) {
            throw new IllegalStateException("the detector was closed");
        }
        long start = System.nanoTime();
        LetterboxTransform transform = executor.accept(frame)
                ? LetterboxTransform.of(frame.width(), frame.height(), letterbox.width(), letterbox.height())
                : letterbox.apply(frame);
        long written = System.nanoTime();
        executor.run();
        long ran = System.nanoTime();
        candidates.clear();
        decoder.decode(filter, candidates);
        int count = suppression.run(candidates);
        List<Detection> found = new ArrayList<>(count);
        for (int rank = 0; rank < count; rank++) {
            found.add(detection(suppression.kept(rank), transform));
        }
        StageTimes times = new StageTimes(written - start, ran - written, System.nanoTime() - ran);
        return new Detections(frame.width(), frame.height(), frame.captured(), times, found);
    }

    private Detection detection(int index, LetterboxTransform transform) {
        int classId = candidates.classId(index);
        return new Detection(
                classId,
                labels.get(classId),
                candidates.score(index),
                transform.toFrameX(candidates.x1(index)),
                transform.toFrameY(candidates.y1(index)),
                transform.toFrameX(candidates.x2(index)),
                transform.toFrameY(candidates.y2(index)));
    }

    @Override
    public List<String> labels() {
        return labels;
    }

    @Override
    public String engine() {
        return engine;
    }

    @Override
    public int inputWidth() {
        return letterbox.width();
    }

    @Override
    public int inputHeight() {
        return letterbox.height();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            letterbox.close();
            executor.close();
        }
    }

    private static ValueInfo pictureInput(Graph network) {
        if (network.inputs().size() != 1) {
            throw new UnsupportedModelException("network " + network.name() + " has " + network.inputs().size()
                    + " inputs, a detection network has one picture");
        }
        ValueInfo input = network.inputs().getFirst();
        Shape shape = input.shape();
        boolean picture = shape.rank() == 4 && isOpenOr(shape.dim(0), 1) && isOpenOr(shape.dim(1), CHANNELS);
        boolean floating = input.type() == DataType.FLOAT32 || input.type() == DataType.FLOAT16;
        if (!picture || !floating) {
            throw new UnsupportedModelException("input " + input.name() + " is " + input.type() + input.shape()
                    + ", a detection network takes one picture as float 1x3xHxW (batch 1)");
        }
        return input;
    }

    private static boolean isOpenOr(long dim, long wanted) {
        return dim == Shape.OPEN || dim == wanted;
    }

    private static Binding pictureBinding(GraphExecutor executor, String name) {
        for (Binding binding : executor.inputs()) {
            if (binding.name().equals(name)) {
                return binding;
            }
        }
        throw new IllegalStateException(executor.description() + " has no input " + name);
    }

    private static void requireClasses(Set<Integer> wanted, List<String> labels) {
        for (int id : wanted) {
            if (id >= labels.size()) {
                throw new IllegalArgumentException("class " + id + " was asked for, the model has the classes 0 to "
                        + (labels.size() - 1));
            }
        }
    }
}
