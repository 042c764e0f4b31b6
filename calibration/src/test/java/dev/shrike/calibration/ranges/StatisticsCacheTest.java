package dev.shrike.calibration.ranges;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ShrikeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class StatisticsCacheTest {
    @TempDir
    private Path folder;

    private static ActivationStatistics filled(int from, int to) {
        ActivationStatistics statistics = new ActivationStatistics(3);
        feed(statistics, from, to);
        return statistics;
    }

    private static void feed(ActivationStatistics statistics, int from, int to) {
        for (int image = from; image < to; image++) {
            Random random = new Random(image);
            float[] values = new float[300];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian() * (1 + image);
            }
            statistics.add(values, values.length);
        }
    }

    private static void assertSame(ActivationStatistics expected, ActivationStatistics actual) {
        assertEquals(expected.images(), actual.images());
        assertEquals(expected.minMax(), actual.minMax());
        assertEquals(expected.movingAverage(), actual.movingAverage());
        assertEquals(expected.histogram().exponent(), actual.histogram().exponent());
        assertArrayEquals(expected.histogram().counts(), actual.histogram().counts());
        for (int c = 0; c < expected.channels(); c++) {
            assertEquals(expected.channel(c), actual.channel(c));
        }
    }

    @Test
    void aPassThatWasCutOffGivesTheSameAsAWholeOne() {
        Path file = folder.resolve("cache.json");
        new StatisticsCache("m", "d", "1x3x64x64", 4, 9, List.of(), Map.of("x/y:0", filled(0, 4))).write(file);
        StatisticsCache read = StatisticsCache.read(file).orElseThrow();
        assertEquals(4, read.done());
        assertEquals(9, read.images());
        assertTrue(read.isAbout("m", "d"));
        assertSame(filled(0, 4), read.values().get("x/y:0"));
        feed(read.values().get("x/y:0"), 4, 9);
        assertSame(filled(0, 9), read.values().get("x/y:0"));
    }

    @Test
    void damageIsToldAndNeverTakenForData() throws IOException {
        Path file = folder.resolve("cache.json");
        new StatisticsCache("m", "d", "s", 1, 1, List.of(), Map.of("x", filled(0, 1))).write(file);
        String text = Files.readString(file);
        for (String damaged : List.of("", "{}", "[1]", text.substring(0, text.length() / 2),
                text.replace("\"version\":1", "\"version\":99"),
                text.replaceFirst("\"first\":\\d+", "\"first\":999999"),
                text.replaceFirst("\"first\":\\d+", "\"first\":-5"), text.replace("\"done\":1", "\"done\":7"),
                text.replaceFirst("\"counts\":\\[", "\"counts\":[-1,"),
                text.replaceFirst("\"counts\":\\[", "\"counts\":[\"a\","),
                text.replaceFirst("\"low\":\\[", "\"low\":[1e99,"))) {
            Files.writeString(file, damaged);
            ShrikeException e = assertThrows(ShrikeException.class, () -> StatisticsCache.read(file), damaged);
            assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
        }
        assertTrue(StatisticsCache.read(folder.resolve("none.json")).isEmpty());
    }

    @Test
    void hashesFollowContentsNamesAndOrder() throws IOException {
        Path a = Files.writeString(folder.resolve("a.jpg"), "1");
        Path b = Files.writeString(folder.resolve("b.jpg"), "22");
        assertEquals(64, StatisticsCache.hash(a).length());
        assertTrue(!StatisticsCache.hash(a).equals(StatisticsCache.hash(b)));
        assertTrue(!StatisticsCache.hash(List.of(a, b)).equals(StatisticsCache.hash(List.of(b, a))));
        assertEquals(StatisticsCache.hash(List.of(a, b)), StatisticsCache.hash(List.of(a, b)));
    }

    @Test
    void tensorRtsTextIsExact() {
        String text = TensorRtCache.text(8400, TensorRtCache.Kind.ENTROPY, Map.of("images", 1f / 127, "a/b", 2f));
        assertEquals("TRT-8400-EntropyCalibration2\na/b: 40000000\nimages: 3c010204\n", text);
        ActivationStatistics statistics = new ActivationStatistics(1);
        statistics.add(new float[] {-3, 0, 254}, 3);
        assertEquals(2, TensorRtCache.scale(statistics, new RangeCalibrator.MinMax()), 0.05);
    }

    private Path image(String name) {
        Path file = folder.resolve(name);
        dev.shrike.vision.Images.write(dev.shrike.Frame.allocate(4 + name.length(), 4), file);
        return file;
    }

    @Test
    void aImageThatIsGoneTakesNothingWithIt() throws IOException {
        List<Path> images = List.of(image("a.png"), image("bb.png"), image("ccc.png"), image("dddd.png"));
        List<String> keys = images.stream().map(StatisticsCache::key).toList();
        Path file = folder.resolve("cache.json");
        new StatisticsCache("m", "d", "s", 3, 4, keys, Map.of("x", filled(0, 3))).write(file);
        StatisticsCache read = StatisticsCache.read(file).orElseThrow();
        assertEquals(keys, read.files());
        assertEquals(images, read.remaining(images.reversed()));
        assertEquals(List.of(images.getLast()), read.missing(images));
        assertEquals(0, read.gone(images));
        // One that is only not wanted is still in the statistics.
        assertEquals(-1, read.gone(images.subList(1, 4)));
        Files.delete(images.getFirst());
        List<Path> left = images.subList(1, 4);
        assertEquals(left, read.remaining(left));
        assertEquals(List.of(images.getLast()), read.missing(left));
        assertEquals(1, read.gone(left));
        // A new one is to be measured.
        Path another = image("eeeee.png");
        assertEquals(List.of(another), read.missing(List.of(images.get(1), another)));
        // One that broke is as good as gone.
        Files.writeString(images.get(1), "x".repeat((int) Files.size(images.get(1))));
        assertEquals(-1, read.gone(List.of(images.getLast())), "of three only one would be left");
        assertThrows(IllegalArgumentException.class,
                () -> new StatisticsCache("m", "d", "s", 3, 4, keys.subList(0, 3), Map.of()));
    }
}
