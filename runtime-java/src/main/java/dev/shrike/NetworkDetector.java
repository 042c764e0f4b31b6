package dev.shrike;

import dev.shrike.heads.CandidateCheck;
import dev.shrike.heads.Candidates;
import dev.shrike.heads.HeadDecoder;
import dev.shrike.heads.NonMaxSuppression;
import dev.shrike.heads.ScoreFilter;
import dev.shrike.heads.SoftNms;
import dev.shrike.heads.SoftNonMaxSuppression;
import dev.shrike.heads.Suppression;
import dev.shrike.spi.Backend;
import dev.shrike.spi.CandidateExecutor;
import dev.shrike.spi.CandidateQuery;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.spi.UseGuard;
import dev.shrike.vision.Letterbox;
import dev.shrike.vision.LetterboxTransform;
import dev.shrike.vision.Images;
import dev.shrike.vision.Preprocessing;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

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
    private final DetectorOptions options;
    private final DetectionBuffer buffer = new DetectionBuffer();
    /** How the last frames were placed, by image of the batch or by region. */
    private Placement[] placements;
    private final long[] letterboxNanos;
    /** What the last call asked for, and its suppression. */
    private DetectOptions asked = DetectOptions.DEFAULT;
    private Suppression askedSuppression;
    private final UseGuard guard = new UseGuard("detector");
    private boolean checked;

    NetworkDetector(
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
        this.options = options;
        this.askedSuppression = suppression;
        this.placements = new Placement[letterboxes.size()];
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
        return detect(frame, DetectOptions.DEFAULT);
    }

    @Override
    public Detections detect(Frame frame, DetectOptions how) {
        guard.enter();
        try {
            look(frame, how, buffer);
            return buffer.toDetections();
        } finally {
            guard.exit();
            Reference.reachabilityFence(this);
        }
    }

    @Override
    public void detect(Frame frame, DetectOptions how, DetectionBuffer into) {
        Objects.requireNonNull(into, "into");
        guard.enter();
        try {
            look(frame, how, into);
        } finally {
            guard.exit();
            Reference.reachabilityFence(this);
        }
    }

    /** Runs the network once on the frame, or once on each region of it. */
    private void look(Frame frame, DetectOptions how, DetectionBuffer into) {
        ask(how);
        List<Region> regions = how.regions();
        for (int i = 0; i < regions.size(); i++) {
            regions.get(i).requireWithin(frame.width(), frame.height());
        }
        into.begin(frame, labels);
        long letterbox = 0;
        long network = 0;
        long decode = 0;
        long start = System.nanoTime();
        Frame raw = raw(frame);
        for (int i = 0; i < Math.max(1, regions.size()); i++) {
            Placement placement = write(raw, regions.isEmpty() ? null : regions.get(i), i, 0);
            long written = System.nanoTime();
            executor.run(1);
            long ran = System.nanoTime();
            read(0, placement.transform(), into);
            letterbox += written - start;
            network += ran - written;
            start = System.nanoTime();
            decode += start - ran;
        }
        if (regions.size() > 1) {
            into.suppress(Float.isNaN(how.iou()) ? options.iou() : how.iou(), options.agnostic(),
                    how.maxDetections() == 0 ? options.maxDetections() : how.maxDetections());
            decode += System.nanoTime() - start;
        }
        into.times(letterbox, network, decode);
    }

    /** Prepares for what a call asks for, unless the call before asked for the same. */
    private void ask(DetectOptions how) {
        if (how == asked || how.equals(asked)) {
            return;
        }
        if (how.confidence() < options.confidence()) {
            throw new IllegalArgumentException("a confidence threshold of " + how.confidence() + " was asked for, the"
                    + " detector was opened with " + options.confidence()
                    + ": open it with the lowest one that is needed");
        }
        DetectorOptions changed = options.toBuilder()
                .confidence(Float.isNaN(how.confidence()) ? options.confidence() : how.confidence())
                .iou(Float.isNaN(how.iou()) ? options.iou() : how.iou())
                .maxDetections(how.maxDetections() == 0 ? options.maxDetections() : how.maxDetections())
                .build();
        askedSuppression = suppression(decoders.getFirst(), changed);
        asked = how;
    }

    /** The frame itself unless it must be decoded. */
    private static Frame raw(Frame frame) {
        return frame.format() == PixelFormat.MJPEG ? Images.bgr(frame) : frame;
    }

    @Override
    public List<Detections> detectAll(List<Frame> frames) {
        List<Frame> all = List.copyOf(frames);
        guard.enter();
        try {
            ask(DetectOptions.DEFAULT);
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
            write(raw(frames.get(i)), null, i, i);
            written = System.nanoTime();
            letterboxNanos[i] = written - start;
        }
        executor.run(frames.size());
        long decoded = System.nanoTime();
        long networkNanos = (decoded - written) / frames.size();
        for (int i = 0; i < frames.size(); i++) {
            long start = decoded;
            buffer.begin(frames.get(i), labels);
            read(i, placements[i].transform(), buffer);
            decoded = System.nanoTime();
            buffer.times(letterboxNanos[i], networkNanos, decoded - start);
            found.add(buffer.toDetections());
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
            write(raw(frame), null, 0, 0);
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

    /** Writes a frame or a region of it as an image of the batch. */
    private Placement write(Frame frame, Region region, int slot, int image) {
        Letterbox letterbox = letterboxes.get(image);
        if (slot >= placements.length) {
            placements = Arrays.copyOf(placements, asked.regions().size());
        }
        Placement placement = placements[slot];
        if (placement == null || !placement.isFor(frame, region)) {
            placement = Placement.of(frame, region, decoders.getFirst().preprocessing(), letterbox.width(),
                    letterbox.height());
            placements[slot] = placement;
        }
        if (!executor.accept(frame, placement.params(), image)) {
            letterbox.apply(frame, placement.transform());
        }
        return placement;
    }

    /** Appends what the last run found in one image. */
    private void read(int image, LetterboxTransform transform, DetectionBuffer into) {
        candidates.clear();
        if (picking == null || !picking.candidates(image, candidates)) {
            checkOnce(image);
            decoders.get(image).decode(filter, candidates);
        }
        check.apply(candidates);
        if (asked.confidence() > options.confidence()) {
            candidates.keepAbove(asked.confidence());
        }
        int count = askedSuppression.run(candidates);
        for (int rank = 0; rank < count; rank++) {
            int index = askedSuppression.kept(rank);
            into.add(candidates.classId(index), candidates.score(index), transform.toFrameX(candidates.x1(index)),
                    transform.toFrameY(candidates.y1(index)), transform.toFrameX(candidates.x2(index)),
                    transform.toFrameY(candidates.y2(index)));
        }
    }

    private void checkOnce(int image) {
        if (!checked) {
            decoders.get(image).check();
            checked = true;
        }
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
}
