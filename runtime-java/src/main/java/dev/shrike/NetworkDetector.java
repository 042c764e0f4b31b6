package dev.shrike;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.heads.CandidateCheck;
import dev.shrike.heads.Candidates;
import dev.shrike.heads.HeadDecoder;
import dev.shrike.heads.HeadSettings;
import dev.shrike.heads.NonMaxSuppression;
import dev.shrike.heads.ScoreFilter;
import dev.shrike.heads.SoftNms;
import dev.shrike.heads.SoftNonMaxSuppression;
import dev.shrike.heads.Suppression;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Binding;
import dev.shrike.spi.CandidateExecutor;
import dev.shrike.spi.CandidateQuery;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.spi.UseGuard;
import dev.shrike.vision.InputSize;
import dev.shrike.vision.Labels;
import dev.shrike.vision.Letterbox;
import dev.shrike.vision.LetterboxTransform;
import dev.shrike.vision.Preprocessing;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/**
 * A detector that runs a network on one engine: letterbox, network, head decoder, non-maximum suppression. Where an
 * engine runs batches there is a letterbox and a decoder for each image of the largest.
 */
final class NetworkDetector implements Detector {
    private final String engine;
    private final GraphExecutor executor;
    private final List<Letterbox> letterboxes;
    private final List<HeadDecoder> decoders;
    private final List<String> labels;
    private final ScoreFilter filter;
    private final Suppression suppression;
    private final CandidateCheck check;
    private final Candidates candidates = new Candidates();
    /** The executor if it picks candidates by itself, else null. */
    private final CandidateExecutor picking;
    private final LetterboxTransform[] transforms;
    private final long[] letterboxNanos;
    private final UseGuard guard = new UseGuard("detector");
    private boolean checked;

    private NetworkDetector(
            Backend backend, GraphExecutor executor, List<Letterbox> letterboxes, List<HeadDecoder> decoders,
            List<String> labels, DetectorOptions options, boolean picks) {
        this.executor = executor;
        this.letterboxes = letterboxes;
        this.decoders = decoders;
        this.labels = labels;
        this.filter = ScoreFilter.of(options);
        this.suppression = suppression(decoders.getFirst(), options);
        this.check = new CandidateCheck(decoders.getFirst(), letterboxes.getFirst().width(),
                letterboxes.getFirst().height());
        this.transforms = new LetterboxTransform[letterboxes.size()];
        this.letterboxNanos = new long[letterboxes.size()];
        this.picking = picks ? picking() : null;
        // An engine tells there what it chose, so this comes after the choice.
        this.engine = backend.name() + " (" + executor.description() + ")";
    }

    /** What becomes of boxes that overlap. */
    static Suppression suppression(HeadDecoder decoder, DetectorOptions options) {
        boolean done = decoder.isSuppressed();
        return options.softNms() == SoftNms.OFF || done
                // No two boxes overlap by more than all of themselves.
                ? new NonMaxSuppression(done ? 1 : options.iou(), options.agnostic(), options.maxDetections())
                : new SoftNonMaxSuppression(options.softNms(), options.iou(), options.confidence(), options.agnostic(),
                        options.maxDetections());
    }

    /** Opens the network on the engine; what was opened is closed again if a later step fails. */
    static NetworkDetector open(
            Graph network, Map<String, String> choices, DetectorOptions options, Backend backend) {
        return open(network, choices, options, backend, true);
    }

    /**
     * As {@link #open(Graph, Map, DetectorOptions, Backend)}.
     *
     * @param picks whether the engine may pick candidates by itself, so that outputs may stay on its device
     */
    static NetworkDetector open(
            Graph network, Map<String, String> choices, DetectorOptions options, Backend backend, boolean picks) {
        ImageInput input = ImageInput.of(network, backend);
        InputSize size = InputSize.choose(
                input.shape(), options.inputWidth(), options.inputHeight(), Labels.stride(network.metadata()));
        Shape shape = Shape.of(input.batch(), ImageInput.CHANNELS, size.height(), size.width());
        ExecutorOptions how = ExecutorOptions.DEFAULT.withThreads(options.threads())
                .withInputShapes(Map.of(input.name(), shape)).withChoices(choices);
        GraphExecutor executor = backend.open(network, how);
        List<Letterbox> letterboxes = new ArrayList<>();
        try {
            List<HeadDecoder> decoders = new ArrayList<>();
            Binding images = imageBinding(executor, input.name());
            int batch = images.dims().getFirst();
            HeadSettings settings = new HeadSettings(size.width(), size.height(), metadata(network, options),
                    options.head(), RawHeads.convolved(network));
            for (int i = 0; i < batch; i++) {
                decoders.add(HeadDecoder.of(outputs(executor, i, batch), settings));
            }
            if (decoders.getFirst().needsTrial()) {
                runOnNoise(executor, images);
                decoders.forEach(HeadDecoder::tried);
            }
            requireHeads(decoders.getFirst(), network, options);
            List<String> labels = Labels.of(network.metadata(), decoders.getFirst().classes());
            requireClasses(options.classes(), labels);
            for (int i = 0; i < batch; i++) {
                letterboxes.add(new Letterbox(images.image(i), decoders.getFirst().preprocessing()));
            }
            return new NetworkDetector(backend, executor, letterboxes, decoders, labels, options, picks);
        } catch (RuntimeException | Error e) {
            letterboxes.forEach(Letterbox::close);
            executor.close();
            throw e;
        }
    }

    private static void runOnNoise(GraphExecutor executor, Binding images) {
        for (int i = 0; i < images.dims().getFirst(); i++) {
            try (Letterbox letterbox = new Letterbox(images.image(i))) {
                letterbox.apply(noise(letterbox.width(), letterbox.height()));
            }
        }
        executor.run();
    }

    private static Frame noise(int width, int height) {
        Frame frame = Frame.allocate(width, height);
        byte[] bytes = new byte[Math.toIntExact(frame.pixels().byteSize())];
        new Random(1).nextBytes(bytes);
        MemorySegment.copy(bytes, 0, frame.pixels(), ValueLayout.JAVA_BYTE, 0, bytes.length);
        return frame;
    }

    /** The model's metadata, with the anchors of the options in place of its own. */
    private static Map<String, String> metadata(Graph network, DetectorOptions options) {
        if (options.anchors().isEmpty()) {
            return network.metadata();
        }
        Map<String, String> changed = new HashMap<>(network.metadata());
        changed.put(HeadDecoder.ANCHORS, options.anchors().toString());
        return changed;
    }

    private static void requireHeads(HeadDecoder decoder, Graph network, DetectorOptions options) {
        if (decoder.readsRawHeads()) {
            RawHeads.require(network);
        } else if (!options.anchors().isEmpty()) {
            throw new UnsupportedModelException("anchors were given, and its output is " + decoder.description()
                    + ", where they are part of the network already: leave them out");
        }
    }

    /** What the network writes for one image. */
    private static List<Binding> outputs(GraphExecutor executor, int image, int batch) {
        return executor.outputs().stream()
                .map(output -> batch > 1 && !output.dims().isEmpty() && output.dims().getFirst() == batch
                        ? output.image(image) : output)
                .toList();
    }

    private CandidateExecutor picking() {
        if (!(executor instanceof CandidateExecutor able)) {
            return null;
        }
        Optional<CandidateQuery> query = decoders.getFirst().query(filter);
        Runnable onHost = () -> decoders.forEach(decoder -> {
            candidates.clear();
            decoder.decode(filter, candidates);
        });
        return query.isPresent() && able.pick(query.get(), onHost) ? able : null;
    }

    @Override
    public Detections detect(Frame frame) {
        return detectAll(List.of(frame)).getFirst();
    }

    @Override
    public List<Detections> detectAll(List<Frame> frames) {
        List<Frame> all = List.copyOf(frames);
        guard.enter();
        try {
            List<Detections> found = new ArrayList<>(all.size());
            for (int from = 0; from < all.size(); from += batch()) {
                detectTogether(all.subList(from, Math.min(all.size(), from + batch())), found);
            }
            return List.copyOf(found);
        } finally {
            guard.exit();
            // The executor frees its memory when the collector finds it, and what reads that memory does not hold it.
            Reference.reachabilityFence(this);
        }
    }

    /** Runs on no more frames than the batch has room for in one run; the rest of the batch stays as it was. */
    private void detectTogether(List<Frame> frames, List<Detections> found) {
        long written = System.nanoTime();
        for (int i = 0; i < frames.size(); i++) {
            long start = written;
            transforms[i] = write(frames.get(i), i);
            written = System.nanoTime();
            letterboxNanos[i] = written - start;
        }
        executor.run(frames.size());
        long decoded = System.nanoTime();
        long networkNanos = (decoded - written) / frames.size();
        for (int i = 0; i < frames.size(); i++) {
            long start = decoded;
            List<Detection> list = read(i);
            decoded = System.nanoTime();
            Frame frame = frames.get(i);
            StageTimes times = new StageTimes(letterboxNanos[i], networkNanos, decoded - start);
            found.add(new Detections(frame.width(), frame.height(), frame.captured(), times, list));
        }
    }

    /**
     * Appends the candidates of one frame, in pixels of the network's input, and gives the times that it took.
     *
     * @param firstBox share of the output's boxes that are left out at its beginning, 0 to 1
     * @param lastBox share where they end
     * @throws UnsupportedModelException if its output has no order of boxes that would allow that
     */
    StageTimes collect(Frame frame, double firstBox, double lastBox, Candidates into) {
        guard.enter();
        try {
            long start = System.nanoTime();
            write(frame, 0);
            long written = System.nanoTime();
            executor.run(1);
            long ran = System.nanoTime();
            checkOnce(0);
            decoders.getFirst().part(firstBox, lastBox).decode(filter, into);
            check.apply(into);
            return new StageTimes(written - start, ran - written, System.nanoTime() - ran);
        } finally {
            guard.exit();
            Reference.reachabilityFence(this);
        }
    }

    /** Fails as {@link #collect} would, if the output does not have all boxes in one list. */
    void requireParts() {
        if (decoders.getFirst().preprocessing() != Preprocessing.YOLO) {
            throw new UnsupportedModelException("augmentation fits images as YOLOv5 does, the model wants them"
                    + " otherwise; leave augmentation out");
        }
        decoders.getFirst().part(0, 1);
    }

    /** What becomes of boxes of all parts that overlap. */
    Suppression suppression(DetectorOptions options) {
        return suppression(decoders.getFirst(), options);
    }

    private LetterboxTransform write(Frame frame, int image) {
        Letterbox letterbox = letterboxes.get(image);
        // An executor fits frames as YOLOv5 does.
        boolean usual = decoders.getFirst().preprocessing() == Preprocessing.YOLO;
        return usual && executor.accept(frame, image)
                ? LetterboxTransform.of(frame.width(), frame.height(), letterbox.width(), letterbox.height())
                : letterbox.apply(frame);
    }

    private List<Detection> read(int image) {
        candidates.clear();
        if (picking == null || !picking.candidates(image, candidates)) {
            checkOnce(image);
            decoders.get(image).decode(filter, candidates);
        }
        check.apply(candidates);
        int count = suppression.run(candidates);
        List<Detection> found = new ArrayList<>(count);
        for (int rank = 0; rank < count; rank++) {
            found.add(detection(suppression.kept(rank), transforms[image]));
        }
        return found;
    }

    private void checkOnce(int image) {
        if (!checked) {
            decoders.get(image).check();
            checked = true;
        }
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
    public int batch() {
        return letterboxes.size();
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
    public List<String> notes() {
        return decoders.getFirst().notes();
    }

    @Override
    public int inputWidth() {
        return letterboxes.getFirst().width();
    }

    @Override
    public int inputHeight() {
        return letterboxes.getFirst().height();
    }

    @Override
    public void close() {
        guard.close(() -> {
            letterboxes.forEach(Letterbox::close);
            executor.close();
        });
    }

    private static Binding imageBinding(GraphExecutor executor, String name) {
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
