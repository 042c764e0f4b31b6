package dev.shrike.training.torch;

import dev.shrike.ShrikeException;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.training.DetectHead;
import dev.shrike.training.TrainableModel;
import dev.shrike.training.TrainingException;
import dev.shrike.training.TrainingJob;
import dev.shrike.training.data.Augmentation;
import dev.shrike.training.data.AugmentedImages;
import dev.shrike.training.data.ImageStore;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** The child process: its only argument is the job's file. Events go to the standard output, see {@link ParentLink}. */
public final class TrainingMain {
    private static final int FAILED = 1;
    private static final int STATISTICS_IMAGES = 128;
    /** Batches of a step that make one for statistics. */
    private static final int STATISTICS_BATCHES = 8;
    private static final Pattern MODULE = Pattern.compile("model\\.(\\d+)\\.");

    private final TrainingJob job;
    private final boolean resume;
    private final ParentLink parent;

    private TrainingMain(TrainingJob job, boolean resume, ParentLink parent) {
        this.job = job;
        this.resume = resume;
        this.parent = parent;
    }

    /** Runs a job: {@code JOB.json [--resume]}. */
    public static void main(String[] arguments) {
        PrintStream events = System.out;
        // What libraries print must not come between the events.
        System.setOut(System.err);
        ParentLink parent = new ParentLink(System.in, events);
        try {
            TrainingJob job = TrainingJob.read(Path.of(arguments[0]));
            new TrainingMain(job, arguments.length > 1 && arguments[1].equals("--resume"), parent).run();
        } catch (RuntimeException | LinkageError | OutOfMemoryError e) {
            e.printStackTrace();
            parent.tell("error", "kind", kind(e), "message", message(e));
            Runtime.getRuntime().halt(FAILED);
        }
        // Threads of libraries do not keep the process.
        Runtime.getRuntime().halt(0);
    }

    /** What kind of error the parent is to make of this one. */
    static String kind(Throwable e) {
        String text = String.valueOf(e.getMessage());
        // PyTorch has no type for it.
        boolean memory = text.contains("can't allocate memory") || text.contains("out of memory");
        return memory && !(e instanceof ShrikeException) ? OutOfMemoryError.class.getSimpleName()
                : e.getClass().getSimpleName();
    }

    /** What an error says, without the frames of C++ that PyTorch puts behind it. */
    static String message(Throwable e) {
        String text = String.valueOf(e.getMessage());
        int frames = text.indexOf("\nException raised from");
        return frames < 0 ? text : text.substring(0, frames);
    }

    /**
     * Takes the libraries for CUDA out of their jar, where there is one. JavaCPP takes out and loads one after the
     * other and goes on without those that need a later one: then the first run on a machine would find no GPU.
     */
    private static void unpackCuda() {
        try {
            Loader.cacheResources("/org/bytedeco/pytorch/" + Loader.getPlatform() + "-gpu/");
        } catch (IOException e) {
            throw new TrainingException("PyTorch's libraries for CUDA cannot be taken out of their jar: " + e
                    + "; check free space and permissions of " + System.getProperty("org.bytedeco.javacpp.cachedir"),
                    e);
        }
    }

    private Device device() {
        if (job.device().equals("cuda") && !torch.cuda_is_available()) {
            throw new TrainingException(
                    "PyTorch finds no CUDA device here: train with --device cpu, or install NVIDIA's"
                            + " driver");
        }
        // TF32 would round sums of codes to 11 bits, which decides about other codes behind them.
        torch.globalContext().setAllowTF32CuDNN(false);
        return new Device(job.device());
    }

    private void run() {
        if (job.device().equals("cuda")) {
            unpackCuda();
        }
        torch.set_num_threads(job.threads());
        Device device = device();
        TrainableModel model = TrainableModel.of(OnnxModels.read(Path.of(job.model())), job.width(), job.height());
        try (ImageStore images = new ImageStore(Path.of(job.images()));
                RunParts parts = new RunParts(job, model, device);
                BatchSource batches = parts.batches(batches(images))) {
            GraphNetwork network = parts.network();
            if (job.insertNormalization() && !resume) {
                inputs(images, inputs -> NormalizationStatistics.measure(network, model.trunk(), inputs));
            }
            if (parts.needsStatistics() && !resume) {
                inputs(images, parts::initialize);
            }
            Optimization optimization = new Optimization(network, job.schedule(), frozen(network));
            AtomicReference<WeightAverage> average = new AtomicReference<>();
            TrainingLoop loop = new TrainingLoop(network, parts.loss(loss(model.head())),
                    parts.regularizers(average::get), batches, job.schedule(), optimization, device, job.seed());
            average.set(loop.average());
            loop.run(Path.of(job.folder()), resume, () -> {
                if (parts.movesStatistics()) {
                    inputs(images, parts::measureStatistics);
                }
                return parts.written();
            }, parent);
        }
    }

    private BatchSource batches(ImageStore images) {
        AugmentedImages augmented = new AugmentedImages(images, job.width(), job.height(), job.augmentation(),
                job.seed());
        int plainFrom = Math.max(0, job.schedule().epochs() - job.plainEpochs());
        // A GPU waits for images; a processor has no core to spare for more than one reader.
        int readers = job.device().equals("cuda") ? job.threads() : 1;
        return new AugmentedBatches(augmented, job.schedule().batch(), plainFrom, readers);
    }

    /**
     * Shows the first images, as they are, to what needs them before the first step. Statistics by the batch are those
     * of all images the better the larger the batches are; without gradients eight times as many images fit.
     */
    private void inputs(ImageStore images, Consumer<List<Tensor>> user) {
        AugmentedImages plain = new AugmentedImages(images, job.width(), job.height(), Augmentation.NONE, job.seed());
        int count = Math.min(STATISTICS_IMAGES, images.size());
        int batch = Math.min(count, STATISTICS_BATCHES * job.schedule().batch());
        List<Tensor> inputs = new ArrayList<>();
        try (PointerScope _ = new PointerScope(); BatchSource source = new AugmentedBatches(plain, batch, 0, 1)) {
            for (int i = 0; i < Math.min(Math.ceilDiv(count, batch), source.batches()); i++) {
                inputs.add(source.batch(0, i).images().to(torch.ScalarType.Float).div(Tensors.scalar(255)));
            }
            user.accept(inputs);
        }
    }

    private Loss loss(DetectHead head) {
        return switch (head.family()) {
            case YOLOV5 -> new Yolov5Loss(head, Math.max(job.width(), job.height()));
            case YOLOV8 -> new Yolov8Loss(head);
        };
    }

    /** Parameters of the first modules: those whose names begin with {@code model.N.}, N below the number. */
    private Set<String> frozen(TorchNetwork network) {
        Set<String> frozen = new HashSet<>();
        for (String name : network.parameters().keySet()) {
            Matcher module = MODULE.matcher(name);
            if (job.freeze() > 0 && module.lookingAt() && Integer.parseInt(module.group(1)) < job.freeze()) {
                frozen.add(name);
            }
        }
        if (job.freeze() > 0 && frozen.isEmpty()) {
            throw new TrainingException("no weights of the network are called 'model.N…', by which --freeze tells"
                    + " modules; leave it out");
        }
        if (frozen.size() == network.parameters().size()) {
            throw new TrainingException(
                    "--freeze " + job.freeze() + " leaves nothing that learns: give a smaller number");
        }
        return frozen;
    }
}
