package dev.shrike.training.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.ModelException;
import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.data.DataSetException;
import dev.shrike.calibration.data.DataSets;
import dev.shrike.spi.Binding;
import dev.shrike.vision.Letterbox;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class AugmentedImagesTest {
    private static final int COUNT = 12;
    private static final int INPUT = 64;

    @TempDir
    static Path folder;
    private static DataSet data;
    private static Path store;

    @BeforeAll
    static void write() {
        data = DataSets.open(SmallDataSet.write(folder.resolve("set"), COUNT, 48), null, "train");
        store = folder.resolve("images.bin");
        assertEquals(COUNT, new ImageStoreWriter(INPUT, INPUT, new int[] {0, 1}).write(data, store, (_, _) -> {})
                .images());
    }

    @Test
    void anImageWithoutChangesIsWhatDetectionSees() {
        try (ImageStore images = new ImageStore(store); Arena arena = Arena.ofConfined()) {
            AugmentedImages plain = new AugmentedImages(images, INPUT, INPUT, Augmentation.NONE, 1);
            MemorySegment memory = arena.allocate(3L * INPUT * INPUT * Float.BYTES, 64);
            try (Letterbox letterbox = new Letterbox(new Binding("images", List.of(1, 3, INPUT, INPUT),
                    List.of(3 * INPUT * INPUT, INPUT * INPUT, INPUT, 1), memory))) {
                for (int i = 0; i < COUNT; i++) {
                    letterbox.apply(Frame.read(data.samples().get(i).file()));
                    byte[] pixels = plain.read(0, i, true).pixels();
                    for (int at = 0; at < pixels.length; at++) {
                        assertEquals(255 * memory.getAtIndex(ValueLayout.JAVA_FLOAT, at), pixels[at] & 0xff, 1e-3);
                    }
                }
            }
        }
    }

    @Test
    void boxesStayOnWhatTheyMark() {
        try (ImageStore images = new ImageStore(store)) {
            AugmentedImages changed = new AugmentedImages(images, INPUT, INPUT,
                    new Augmentation(0.5, 0, 0, 0, 0.5, 0.5, 0.1), 3);
            int seen = 0;
            for (int epoch = 0; epoch < 4; epoch++) {
                for (int i = 0; i < COUNT; i++) {
                    Example example = changed.read(epoch, i, true);
                    for (Target target : example.targets()) {
                        // The middle of an object is bright, whatever became of the image.
                        int at = (int) target.y() * INPUT + (int) target.x();
                        assertTrue((example.pixels()[at] & 0xff) > 180, "epoch " + epoch + ", image " + i);
                        assertTrue(target.x() - target.width() / 2 > -1e-3 && target.x() + target.width() / 2
                                < INPUT + 1e-3, target.toString());
                        seen++;
                    }
                }
            }
            assertTrue(seen > 60, "only " + seen + " objects were seen");
        }
    }

    @Test
    void anEpochIsTheSameWhateverThreadReadsIt() {
        try (ImageStore images = new ImageStore(store)) {
            AugmentedImages changed = new AugmentedImages(images, INPUT, INPUT, Augmentation.DEFAULT, 3);
            List<Example> one = IntStream.range(0, COUNT).mapToObj(i -> changed.read(2, i, true)).toList();
            List<Example> many = new ArrayList<>(IntStream.range(0, COUNT).parallel()
                    .mapToObj(i -> changed.read(2, COUNT - 1 - i, true)).toList().reversed());
            for (int i = 0; i < COUNT; i++) {
                assertArrayEquals(one.get(i).pixels(), many.get(i).pixels());
                assertEquals(one.get(i).targets(), many.get(i).targets());
            }
            assertFalse(Arrays.equals(one.getFirst().pixels(), changed.read(3, 0, true).pixels()));
            assertFalse(Arrays.equals(changed.order(0), changed.order(1)));
            assertArrayEquals(IntStream.range(0, COUNT).toArray(), Arrays.stream(changed.order(5)).sorted().toArray());
        }
    }

    @Test
    void coloursChangeWithinTheirBoundsAndGreysStayGrey() {
        byte[] planes = new byte[3 * 64];
        Arrays.fill(planes, (byte) 120);
        for (int seed = 0; seed < 20; seed++) {
            byte[] copy = planes.clone();
            ColourJitter.of(new Augmentation(0, 0.1, 0.7, 0.4, 0, 0, 0), new java.util.SplittableRandom(seed))
                    .apply(copy);
            assertTrue((copy[0] & 0xff) >= 71 && (copy[0] & 0xff) <= 169, "brightness " + (copy[0] & 0xff));
            assertEquals(copy[0], copy[64]);
            assertEquals(copy[0], copy[128]);
        }
    }

    @Test
    void brokenImagesAreLeftOutAndCounted(@TempDir Path other) throws IOException {
        Path yaml = SmallDataSet.write(other, 10, 40);
        Files.write(other.resolve("images/image3.png"), new byte[] {1, 2, 3});
        DataSet broken = DataSets.open(yaml, null, "train");
        ImageStoreWriter.Result result = new ImageStoreWriter(32, 32, new int[] {0, 1}).write(broken,
                other.resolve("x.bin"), (_, _) -> {});
        assertEquals(9, result.images());
        assertTrue(result.problems().toString().contains("image3.png"));
        for (int i = 0; i < 10; i++) {
            Files.write(other.resolve("images/image" + i + ".png"), new byte[] {1});
        }
        assertThrows(DataSetException.class, () -> new ImageStoreWriter(32, 32, new int[] {0, 1}).write(broken,
                other.resolve("x.bin"), (_, _) -> {}));
    }

    @Test
    void damagedStoresAreRefused(@TempDir Path other) throws IOException {
        byte[] bytes = Files.readAllBytes(store);
        Path damaged = other.resolve("damaged.bin");
        for (int length : new int[] {0, 10, 40, bytes.length / 2, bytes.length - 1}) {
            Files.write(damaged, Arrays.copyOf(bytes, length));
            assertThrows(ModelException.class, () -> new ImageStore(damaged).close(), "length " + length);
        }
        java.util.Random random = new java.util.Random(4);
        for (int i = 0; i < 200; i++) {
            byte[] changed = bytes.clone();
            changed[random.nextBoolean() ? random.nextInt(32) : bytes.length - 1 - random.nextInt(COUNT * 52)] ^=
                    (byte) (1 << random.nextInt(8));
            Files.write(damaged, changed);
            try (ImageStore opened = new ImageStore(damaged)) {
                for (int j = 0; j < opened.size(); j++) {
                    opened.pixels(j).get(ValueLayout.JAVA_BYTE, 3L * opened.width(j) * opened.height(j) - 1);
                }
            } catch (ModelException e) {
                assertTrue(e.getMessage().contains("damaged.bin"));
            }
        }
    }

    @Test
    void classesAreCountedAndTooLittleIsTold(@TempDir Path other) throws IOException {
        assertTrue(ClassCounts.of(data).toString().contains("square: 6 objects in 6 images"));
        assertTrue(ClassCounts.require(data, true).warnings().isEmpty());
        Path few = SmallDataSet.write(other.resolve("few"), 3, 40);
        assertTrue(assertThrows(DataSetException.class,
                () -> ClassCounts.require(DataSets.open(few, null, "train"), true)).getMessage().contains("too few"));
        Path none = SmallDataSet.write(other.resolve("none"), 9, 40);
        for (int i = 0; i < 9; i++) {
            Files.writeString(other.resolve("none/labels/image" + i + ".txt"), "");
        }
        DataSet empty = DataSets.open(none, null, "train");
        assertThrows(DataSetException.class, () -> ClassCounts.require(empty, true));
        assertTrue(ClassCounts.require(empty, false).warnings().getFirst().contains("'square', 'bar'"));
        StringBuilder bars = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            bars.append("1 ").append(0.3 + i / 100.0).append(" .5 .2 .2\n");
        }
        Files.writeString(other.resolve("none/labels/image0.txt"), bars);
        Files.writeString(other.resolve("none/labels/image1.txt"), "0 .5 .5 .2 .2\n");
        assertTrue(ClassCounts.of(DataSets.open(none, null, "train")).warnings().getFirst()
                .contains("'bar' has 40 times the objects of 'square'"));
    }
}
