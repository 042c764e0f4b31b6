package dev.shrike;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.heads.HeadDecoder;
import dev.shrike.heads.HeadSettings;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.vision.InputSize;
import dev.shrike.vision.Labels;
import dev.shrike.vision.Letterbox;
import dev.shrike.vision.Preprocessing;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Opens detectors that run a network on one engine. */
final class NetworkOpening {
    private NetworkOpening() {}

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
                Frame noise = noise(letterbox.width(), letterbox.height());
                Placement placement = Placement.of(noise, null, Preprocessing.YOLO, noise.width(), noise.height());
                if (!executor.accept(noise, placement.params(), i)) {
                    letterbox.apply(noise);
                }
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
