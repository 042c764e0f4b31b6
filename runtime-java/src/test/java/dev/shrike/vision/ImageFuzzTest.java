package dev.shrike.vision;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.SourceException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Mutated image files either decode or fail with a {@link SourceException}: no other error, no crash, no hang.
 * {@code -Dshrike.fuzz.seconds=N} runs longer, {@code -Dshrike.fuzz.seed=N} with another seed.
 */
class ImageFuzzTest {
    private static final long SECONDS = Long.getLong("shrike.fuzz.seconds", 4);
    private static final long SEED = Long.getLong("shrike.fuzz.seed", 4711);
    private static final int[] TELLING = {0, 1, 0x7f, 0x80, 0xfe, 0xff, 0xd8, 0xd9, 0xda, 0xc4};

    @Test
    void onlySourceExceptionsEscape() {
        List<byte[]> seeds = new ArrayList<>();
        for (String extension : List.of(".jpg", ".png", ".bmp", ".webp", ".tif")) {
            seeds.add(SampleImages.encoded(extension, 33, 21));
            seeds.add(SampleImages.encoded(extension, 1, 1));
        }
        seeds.add(SampleImages.lossyWebp(35, 19));
        seeds.add(SampleImages.withOrientation(SampleImages.encoded(".jpg", 40, 24), 6));
        seeds.add(Arrays.copyOf(seeds.getFirst(), seeds.getFirst().length - 2));
        byte[] still = SampleImages.lossyWebp(20, 14);
        seeds.add(WebpFiles.withExif(still, 20, 14, SampleImages.exif(6)));
        seeds.add(WebpFiles.animated(still, 40, 30, 4, 6, 3));
        seeds.add(TiffFiles.rgb16(9, 7));
        seeds.add(TiffFiles.pages(3));
        long end = System.nanoTime() + SECONDS * 1_000_000_000L;
        int decoded = 0;
        int refused = 0;
        for (long round = 0; System.nanoTime() < end; round++) {
            Random random = new Random(SEED + round);
            byte[] seed = seeds.get(random.nextInt(seeds.size()));
            byte[] mutant = mutate(seed, seeds, random);
            try {
                Frame frame = SampleImages.decode(mutant, "mutant");
                assertTrue(frame.width() > 0 && frame.height() > 0);
                decoded++;
            } catch (SourceException e) {
                assertTrue(e.getMessage().startsWith("mutant: "), e.getMessage());
                refused++;
            } catch (RuntimeException | Error e) {
                throw new AssertionError("-Dshrike.fuzz.seed=" + (SEED + round) + ": " + hex(mutant), e);
            }
        }
        System.out.println("image fuzz from seed " + SEED + ": " + decoded + " decoded, " + refused + " refused");
        assertTrue(decoded > 0 && refused > 0, "the mutations reach both ends");
    }

    private static byte[] mutate(byte[] seed, List<byte[]> seeds, Random random) {
        byte[] bytes = seed.clone();
        int changes = 1 + random.nextInt(random.nextInt(4) == 0 ? 12 : 2);
        for (int i = 0; i < changes && bytes.length > 1; i++) {
            // headers are where the structure is
            int reach = random.nextBoolean() ? Math.min(64, bytes.length) : bytes.length;
            int at = random.nextInt(reach);
            switch (random.nextInt(7)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt(256);
                case 2 -> bytes[at] = (byte) TELLING[random.nextInt(TELLING.length)];
                case 3 -> bytes = Arrays.copyOf(bytes, 1 + random.nextInt(bytes.length));
                case 4 -> {
                    byte[] other = seeds.get(random.nextInt(seeds.size()));
                    int length = random.nextInt(other.length);
                    bytes = SampleImages.spliced(bytes, at, Arrays.copyOf(other, length));
                }
                case 5 -> {
                    if (at + 4 <= bytes.length) {
                        ByteBuffer.wrap(bytes).putInt(at, random.nextInt());
                    }
                }
                case 6 -> {
                    int to = at + random.nextInt(bytes.length - at);
                    byte[] shorter = Arrays.copyOf(bytes, bytes.length - (to - at));
                    System.arraycopy(bytes, to, shorter, at, bytes.length - to);
                    bytes = shorter;
                }
                default -> throw new AssertionError();
            }
        }
        return repaired(bytes, random);
    }

    /** PNG checksums would stop nearly every mutant at the gate; half of them get fitting ones. */
    private static byte[] repaired(byte[] bytes, Random random) {
        if (bytes.length < 33 || bytes[1] != 'P' || random.nextBoolean()) {
            return bytes;
        }
        for (int at = 8; at + 12 <= bytes.length;) {
            int length = ByteBuffer.wrap(bytes).getInt(at);
            if (length < 0 || length > bytes.length - at - 12) {
                break;
            }
            SampleImages.repairChecksum(bytes, at);
            at += length + 12;
        }
        return bytes;
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes, 0, Math.min(bytes.length, 2000));
    }
}
