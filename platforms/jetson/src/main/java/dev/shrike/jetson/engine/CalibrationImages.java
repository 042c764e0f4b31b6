package dev.shrike.jetson.engine;

import dev.shrike.Frame;
import dev.shrike.SourceException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.binding.TensorRt;
import dev.shrike.spi.Binding;
import dev.shrike.vision.Images;
import dev.shrike.vision.Letterbox;
import java.io.IOException;
import java.lang.System.Logger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Images of a folder, a batch after another through one page-locked buffer to one of the device, so that any number
 * of them takes the memory of one batch. TensorRT wants whole batches: the first images fill up the last one.
 */
public final class CalibrationImages implements AutoCloseable {
    private static final Logger LOG = System.getLogger(CalibrationImages.class.getName());

    /** Any number; another one gives other ranges. */
    private static final long ORDER = 20170508;

    private final List<Path> files;
    private final Gpu.Stream stream;
    private final Gpu.HostMemory host;
    private final Gpu.DeviceMemory device;
    /** One for each image of the batch. */
    private final List<Letterbox> letterboxes = new ArrayList<>();
    private final TensorRt.Port input;
    /** The first that could be read, a batch at most. */
    private final List<Path> readable = new ArrayList<>();
    private int next;
    private int taken;

    /** For an input of dims {@code [N, 3, H, W]}. */
    CalibrationImages(Gpu gpu, TensorRt.Port input, List<Path> files) {
        this.files = List.copyOf(files);
        this.input = input;
        this.stream = gpu.stream();
        Gpu.HostMemory hostMemory = null;
        Gpu.DeviceMemory deviceMemory = null;
        try {
            hostMemory = gpu.allocateHost(input.bytes());
            deviceMemory = gpu.allocate(input.bytes());
            Binding batch = Ports.binding(input, hostMemory.segment());
            if (batch.dims().size() != 4) {
                throw new UnsupportedModelException("'" + batch.name() + "' has the dims " + batch.dims()
                        + " instead of [N, 3, height, width]: INT8 can be calibrated on images only");
            }
            for (int i = 0; i < batch.dims().getFirst(); i++) {
                letterboxes.add(new Letterbox(batch.image(i)));
            }
        } catch (RuntimeException | Error e) {
            letterboxes.forEach(Letterbox::close);
            closeAll(deviceMemory, hostMemory, stream);
            throw e;
        }
        host = hostMemory;
        device = deviceMemory;
    }

    /**
     * The images of a folder, of their names in order every n-th if there are more than wanted; shuffled, always
     * alike: entropy calibration sets up histograms by the first batch, and names often go by scene.
     *
     * @throws SourceException if there is none or the folder cannot be read
     */
    public static List<Path> list(Path folder, int wanted) {
        if (!Files.isDirectory(folder)) {
            throw new SourceException(folder + ": is no folder of calibration images");
        }
        List<Path> all;
        try (Stream<Path> entries = Files.list(folder)) {
            all = entries.filter(CalibrationImages::isImage).sorted().toList();
        } catch (IOException e) {
            throw new SourceException(folder + ": cannot be read: " + e, e);
        }
        if (all.isEmpty()) {
            throw new SourceException(folder + ": has no image (" + Images.FORMATS
                    + "); calibration needs some hundred of the kind that the detector will see");
        }
        int count = Math.min(wanted, all.size());
        List<Path> chosen = new ArrayList<>(IntStream.range(0, count)
                .mapToObj(i -> all.get((int) ((long) i * all.size() / count))).toList());
        Collections.shuffle(chosen, new Random(ORDER));
        return List.copyOf(chosen);
    }

    private static boolean isImage(Path file) {
        return Images.isNamedLikeOne(file) && Files.isRegularFile(file);
    }

    /** SHA-256 over the contents of the files, in order. */
    static String digest(List<Path> files) {
        MessageDigest digest = Digests.sha256();
        for (Path file : files) {
            try {
                byte[] bytes = Files.readAllBytes(file);
                digest.update(Digests.of(bytes).getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            } catch (IOException e) {
                throw new SourceException(file + ": cannot be read: " + e, e);
            }
        }
        return Digests.hex(digest);
    }

    /**
     * Device address of the next batch, or 0 after the last image. Images that cannot be read are passed over with
     * a warning.
     *
     * @throws SourceException if not a single one could be read
     */
    long next(String name) {
        if (!name.equals(input.name())) {
            throw new IllegalArgumentException("TensorRT asks for the input '" + name + "', the network has '"
                    + input.name() + "'");
        }
        int filled = 0;
        while (filled < letterboxes.size() && next < files.size()) {
            Path file = files.get(next++);
            if (put(file, letterboxes.get(filled))) {
                filled++;
                taken++;
                if (readable.size() < letterboxes.size()) {
                    readable.add(file);
                }
            }
        }
        if (taken == 0) {
            throw new SourceException(files.isEmpty()
                    ? "calibration needs a folder of images: name one with -Dshrike.tensorrt.data"
                    : "none of the " + files.size() + " calibration images could be read, the last one being "
                            + files.getLast());
        }
        if (filled == 0) {
            return 0;
        }
        for (int i = filled; i < letterboxes.size(); i++) {
            put(readable.get((i - filled) % readable.size()), letterboxes.get(i));
        }
        stream.copyIn(host, device, input.bytes());
        stream.synchronize();
        return device.address();
    }

    private static boolean put(Path file, Letterbox letterbox) {
        try {
            letterbox.apply(Frame.read(file));
            return true;
        } catch (SourceException e) {
            LOG.log(Logger.Level.WARNING, "calibration goes on without " + e.getMessage());
            return false;
        }
    }

    /** Begins again with the first image. */
    void rewind() {
        next = 0;
        taken = 0;
    }

    /** Images of the folder handed out so far. */
    int taken() {
        return taken;
    }

    private static void closeAll(AutoCloseable... all) {
        for (AutoCloseable one : all) {
            try {
                if (one != null) {
                    one.close();
                }
            } catch (Exception e) {
                LOG.log(Logger.Level.WARNING, "while giving up", e);
            }
        }
    }

    @Override
    public void close() {
        letterboxes.forEach(Letterbox::close);
        closeAll(device, host, stream);
    }
}
