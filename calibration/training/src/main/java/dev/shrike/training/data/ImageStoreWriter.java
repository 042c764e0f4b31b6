package dev.shrike.training.data;

import dev.shrike.Frame;
import dev.shrike.SourceException;
import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.data.DataSetException;
import dev.shrike.calibration.data.Problem;
import dev.shrike.calibration.data.Sample;
import dev.shrike.calibration.data.GroundTruth;
import dev.shrike.files.FileReplacement;
import dev.shrike.spi.Binding;
import dev.shrike.vision.Letterbox;
import dev.shrike.vision.LetterboxTransform;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Decodes the images of a data set into an {@link ImageStore}, in the size and colours that detection gives them. */
public final class ImageStoreWriter {
    private final int inputWidth;
    private final int inputHeight;
    private final int[] classes;

    /** An image in the file. */
    private record Entry(long position, int width, int height, float[] boxes) {}

    /** Told of progress. */
    @FunctionalInterface
    public interface Listener {
        /** {@code done} of {@code total} images are decoded. */
        void at(int done, int total);
    }

    /**
     * What became of a data set.
     *
     * @param images number of images in the file
     * @param problems images that were left out and why
     */
    public record Result(int images, List<Problem> problems) {
        public Result {
            problems = List.copyOf(problems);
        }
    }

    /**
     * A writer.
     *
     * @param inputWidth pixels of the network's input
     * @param inputHeight pixels of the network's input
     * @param classes class of the network for each category of the data set; negative for those that it does not have
     */
    public ImageStoreWriter(int inputWidth, int inputHeight, int[] classes) {
        if (inputWidth < 1 || inputHeight < 1) {
            throw new IllegalArgumentException(inputWidth + " x " + inputHeight);
        }
        this.inputWidth = inputWidth;
        this.inputHeight = inputHeight;
        this.classes = classes.clone();
    }

    /** Bytes of the file for so many images, at most. */
    public long bytes(int images) {
        return 3L * inputWidth * inputHeight * images;
    }

    /**
     * Writes the file, which replaces an older one when it is complete. Images that cannot be read are left out.
     *
     * @throws DataSetException if no image is left, or the disk is too small; says how much is needed
     */
    public Result write(DataSet data, Path file, Listener listener) {
        Path folder = file.toAbsolutePath().getParent();
        Path draft = folder.resolve(file.getFileName() + ".part");
        List<Problem> problems = new ArrayList<>();
        List<Entry> entries = new ArrayList<>();
        try {
            requireRoom(folder, data.samples().size());
            try (Arena arena = Arena.ofConfined();
                    FileChannel channel = FileChannel.open(draft, StandardOpenOption.CREATE,
                            StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                MemorySegment memory = arena.allocate(3L * inputWidth * inputHeight * Float.BYTES, 64);
                try (Letterbox letterbox = new Letterbox(new Binding("images", List.of(1, 3, inputHeight, inputWidth),
                        List.of(3 * inputHeight * inputWidth, 1, 3 * inputWidth, 3), memory))) {
                    writeAll(data, channel, letterbox, memory, problems, entries, listener);
                }
            }
            FileReplacement.rename(draft, file);
        } catch (IOException e) {
            throw new DataSetException(file + ": the decoded images cannot be written: " + e.getMessage()
                    + "; they take " + megabytes(bytes(data.samples().size())) + " MB, give a folder with room", e);
        } finally {
            delete(draft);
        }
        return new Result(entries.size(), problems);
    }

    private static void delete(Path draft) {
        try {
            Files.deleteIfExists(draft);
        } catch (IOException e) {
            // What stays behind is written over by the next run.
            System.Logger logger = System.getLogger(ImageStoreWriter.class.getName());
            logger.log(System.Logger.Level.DEBUG, () -> draft + ": cannot be deleted: " + e);
        }
    }

    private void requireRoom(Path folder, int images) throws IOException {
        long room = Files.getFileStore(folder).getUsableSpace();
        if (room < bytes(images)) {
            throw new DataSetException(folder + ": the decoded images take up to " + megabytes(bytes(images))
                    + " MB, and " + megabytes(room) + " MB are free; give another folder, or train on fewer or smaller"
                    + " images");
        }
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.0f", Math.ceil(bytes / 1e6));
    }

    private void writeAll(DataSet data, FileChannel channel, Letterbox letterbox, MemorySegment memory,
            List<Problem> problems, List<Entry> entries, Listener listener) throws IOException {
        channel.position(ImageStore.HEADER);
        int done = 0;
        for (Sample sample : data.samples()) {
            listener.at(done++, data.samples().size());
            try {
                Frame frame = sample.read();
                LetterboxTransform transform = letterbox.apply(frame);
                int width = side(frame.width(), transform.ratio(), inputWidth);
                int height = side(frame.height(), transform.ratio(), inputHeight);
                entries.add(new Entry(channel.position(), width, height, boxes(sample, frame)));
                write(channel, ByteBuffer.wrap(pixels(memory, transform, width, height)));
            } catch (SourceException e) {
                problems.add(new Problem(Problem.Kind.UNREADABLE_IMAGE, e.getMessage()));
            } catch (DataSetException e) {
                problems.add(new Problem(Problem.Kind.OTHER_SIZE, e.getMessage()));
            }
        }
        listener.at(done, done);
        if (entries.isEmpty()) {
            throw new DataSetException(data.file() + ": none of the " + done + " images can be used, "
                    + (problems.isEmpty() ? "there are none" : "the first because of "
                            + problems.getFirst().message()));
        }
        writeIndex(channel, entries);
    }

    /** Pixels of the input that a side takes, as the letterbox rounds it. */
    private static int side(int frameSide, double ratio, int inputSide) {
        return Math.clamp((int) Math.rint(frameSide * ratio), 1, inputSide);
    }

    private byte[] pixels(MemorySegment memory, LetterboxTransform transform, int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        for (int y = 0; y < height; y++) {
            long from = 3L * ((long) (y + transform.padY()) * inputWidth + transform.padX());
            for (int x = 0; x < 3 * width; x++) {
                rgb[3 * width * y + x] = (byte) Math.round(255 * memory.getAtIndex(ValueLayout.JAVA_FLOAT, from + x));
            }
        }
        return rgb;
    }

    private float[] boxes(Sample sample, Frame frame) {
        List<GroundTruth> wanted = sample.boxesIn(frame.width(), frame.height()).stream()
                .filter(box -> !box.crowd() && classes[box.classId()] >= 0 && box.width() > 0 && box.height() > 0)
                .toList();
        float[] values = new float[ImageStore.BOX_VALUES * wanted.size()];
        for (int i = 0; i < wanted.size(); i++) {
            GroundTruth box = wanted.get(i);
            values[5 * i] = classes[box.classId()];
            values[5 * i + 1] = (float) ((box.x() + box.width() / 2) / frame.width());
            values[5 * i + 2] = (float) ((box.y() + box.height() / 2) / frame.height());
            values[5 * i + 3] = (float) (box.width() / frame.width());
            values[5 * i + 4] = (float) (box.height() / frame.height());
        }
        return values;
    }

    private static void writeIndex(FileChannel channel, List<Entry> entries) throws IOException {
        long index = channel.position();
        long boxes = entries.stream().mapToLong(entry -> entry.boxes().length).sum();
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(ImageStore.ENTRY * entries.size()
                + Float.BYTES * boxes)).order(ByteOrder.LITTLE_ENDIAN);
        for (Entry entry : entries) {
            bytes.putLong(entry.position()).putLong(entry.width()).putLong(entry.height())
                    .putLong(entry.boxes().length / ImageStore.BOX_VALUES);
        }
        for (Entry entry : entries) {
            for (float value : entry.boxes()) {
                bytes.putFloat(value);
            }
        }
        write(channel, bytes.flip());
        channel.position(0);
        write(channel, ByteBuffer.allocate((int) ImageStore.HEADER).order(ByteOrder.LITTLE_ENDIAN)
                .putLong(ImageStore.MAGIC).putLong(ImageStore.VERSION).putLong(entries.size()).putLong(index).flip());
    }

    private static void write(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
