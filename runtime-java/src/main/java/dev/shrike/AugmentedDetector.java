package dev.shrike;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.heads.Candidates;
import dev.shrike.heads.Suppression;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.spi.UseGuard;
import dev.shrike.vision.AugmentedView;
import dev.shrike.vision.Labels;
import dev.shrike.vision.LetterboxTransform;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A detector that runs on each frame in the three views of YOLOv5's augmentation at test time (v6.1,
 * {@code _forward_augment}) and suppresses what it saw in all of them together. As there, the boxes of the largest
 * stride of the full view and those of the smallest stride of the smallest one are left out
 * ({@code _clip_augmented}), which holds for three strides that double.
 */
final class AugmentedDetector implements Detector {
    private static final double[] SCALES = {1, 0.83, 0.67};
    private static final boolean[] MIRRORED = {false, true, false};
    /** Boxes of three strides lie in the ratio 16 : 4 : 1, smallest stride first. */
    private static final double[] FIRST = {0, 0, 16 / 21.0};
    private static final double[] END = {20 / 21.0, 1, 1};

    private final List<NetworkDetector> passes;
    private final List<AugmentedView> views;
    private final Suppression suppression;
    private final Candidates seen = new Candidates();
    private final Candidates all = new Candidates();
    private final UseGuard guard = new UseGuard("detector");

    private AugmentedDetector(List<NetworkDetector> passes, List<AugmentedView> views, DetectorOptions options) {
        this.passes = passes;
        this.views = views;
        this.suppression = passes.getFirst().suppression(options);
    }

    /** Opens the model in each size; errors are those of {@link Detectors#openAugmented}. */
    static Detector open(Detectors.SizedModel model, DetectorOptions options, List<Backend> backends) {
        Path first = model.model(options.inputWidth(), options.inputHeight());
        for (Backend backend : backends) {
            if (backend.reads(first)) {
                throw new UnsupportedModelException(first + ": was built for images of one size, augmentation needs"
                        + " three: give the ONNX file that it was built from");
            }
        }
        Graph network = OnnxModels.read(first);
        return Detectors.named(first, () -> {
            ShrikeException failed = null;
            for (Backend backend : Backends.usable(backends, options.engine())) {
                try {
                    return open(model, network, first, options, backend);
                } catch (UnsupportedModelException | BackendUnavailableException e) {
                    failed = failed == null ? e : failed;
                }
            }
            throw failed;
        });
    }

    private static Detector open(Detectors.SizedModel model, Graph network, Path file, DetectorOptions options,
            Backend backend) {
        List<NetworkDetector> passes = new ArrayList<>();
        try {
            passes.add(NetworkOpening.open(network, Map.of(), options, backend, false));
            int width = passes.getFirst().inputWidth();
            int height = passes.getFirst().inputHeight();
            int stride = Labels.stride(network.metadata());
            List<AugmentedView> views = new ArrayList<>();
            for (int i = 0; i < SCALES.length; i++) {
                views.add(new AugmentedView(SCALES[i], MIRRORED[i], width, height, stride));
            }
            for (AugmentedView view : views.subList(1, views.size())) {
                Path sized = model.model(view.viewWidth(), view.viewHeight());
                Graph other = sized.equals(file) ? network : OnnxModels.read(sized);
                requireOpen(other, views, view);
                passes.add(NetworkOpening.open(
                        other, Map.of(), options.withInputSize(view.viewWidth(), view.viewHeight()), backend, false));
            }
            AugmentedDetector detector = new AugmentedDetector(passes, views, options);
            // An output that cannot be divided by strides is told now, not at the first image.
            passes.getFirst().requireParts();
            return detector;
        } catch (RuntimeException | Error e) {
            passes.forEach(NetworkDetector::close);
            throw e;
        }
    }

    private static void requireOpen(Graph network, List<AugmentedView> views, AugmentedView view) {
        Shape shape = network.inputs().getFirst().shape();
        boolean height = shape.dim(2) == Shape.OPEN || shape.dim(2) == view.viewHeight();
        boolean width = shape.dim(3) == Shape.OPEN || shape.dim(3) == view.viewWidth();
        if (!height || !width) {
            List<String> sizes = views.stream().map(v -> v.viewWidth() + "x" + v.viewHeight()).toList();
            throw new UnsupportedModelException("augmentation runs on images of " + String.join(", ", sizes)
                    + ", the model's input is fixed to " + shape.dim(3) + "x" + shape.dim(2)
                    + ": export it with an open size (YOLOv5's export.py --include onnx --dynamic)");
        }
    }

    @Override
    public Detections detect(Frame frame) {
        guard.enter();
        try {
            return look(frame);
        } finally {
            guard.exit();
        }
    }

    private Detections look(Frame frame) {
        all.clear();
        long start = System.nanoTime();
        Frame base = AugmentedView.letterboxed(frame, inputWidth(), inputHeight());
        long letterbox = System.nanoTime() - start;
        long network = 0;
        long decode = 0;
        for (int i = 0; i < passes.size(); i++) {
            long before = System.nanoTime();
            Frame view = views.get(i).of(base);
            letterbox += System.nanoTime() - before;
            seen.clear();
            StageTimes times = passes.get(i).collect(view, FIRST[i], END[i], seen);
            addTo(all, seen, views.get(i));
            letterbox += times.letterbox();
            network += times.network();
            decode += times.decode();
        }
        long decoded = System.nanoTime();
        List<Detection> found = suppressed(frame);
        StageTimes times = new StageTimes(letterbox, network, decode + System.nanoTime() - decoded);
        return new Detections(frame, times, found);
    }

    /** Appends boxes of a view as boxes of the letterboxed image. */
    private static void addTo(Candidates target, Candidates ofView, AugmentedView view) {
        for (int i = 0; i < ofView.size(); i++) {
            double x = (ofView.x1(i) + ofView.x2(i)) / 2.0 / view.scale();
            double y = (ofView.y1(i) + ofView.y2(i)) / 2.0 / view.scale();
            target.addCentred(
                    (float) (view.mirrored() ? view.width() - x : x),
                    (float) y,
                    (float) ((ofView.x2(i) - ofView.x1(i)) / view.scale()),
                    (float) ((ofView.y2(i) - ofView.y1(i)) / view.scale()),
                    ofView.score(i),
                    ofView.classId(i));
        }
    }

    private List<Detection> suppressed(Frame frame) {
        LetterboxTransform transform =
                LetterboxTransform.of(frame.width(), frame.height(), inputWidth(), inputHeight());
        int count = suppression.run(all);
        List<Detection> found = new ArrayList<>(count);
        for (int rank = 0; rank < count; rank++) {
            int index = suppression.kept(rank);
            int classId = all.classId(index);
            found.add(new Detection(
                    classId,
                    labels().get(classId),
                    all.score(index),
                    transform.toFrameX(all.x1(index)),
                    transform.toFrameY(all.y1(index)),
                    transform.toFrameX(all.x2(index)),
                    transform.toFrameY(all.y2(index))));
        }
        return found;
    }

    @Override
    public List<String> labels() {
        return passes.getFirst().labels();
    }

    @Override
    public String engine() {
        return passes.getFirst().engine();
    }

    @Override
    public int inputWidth() {
        return passes.getFirst().inputWidth();
    }

    @Override
    public int inputHeight() {
        return passes.getFirst().inputHeight();
    }

    @Override
    public void close() {
        guard.close(() -> passes.forEach(NetworkDetector::close));
    }
}
