package dev.shrike.onnx;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.shrike.ShrikeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Damages sound models at random: whatever the bytes, only a {@link ShrikeException} may leave the reader. Runs for
 * -Dshrike.fuzz.seconds (5), from -Dshrike.fuzz.seed (1) on; a failure names the seed that repeats it alone.
 */
class ReaderFuzzTest {
    private static final int MODELS = 24;

    @Test
    void onlyShrikeExceptionsEscape() {
        List<byte[]> models = new ArrayList<>();
        for (int i = 0; i < MODELS; i++) {
            models.add(OnnxModels.toBytes(RandomGraphs.next(new Random(i), 12)));
        }
        long seed = Long.getLong("shrike.fuzz.seed", 1);
        long end = System.nanoTime() + 1_000_000_000L * Long.getLong("shrike.fuzz.seconds", 5);
        int accepted = 0;
        int refused = 0;
        do {
            if (isAccepted(mutated(models, new Random(seed)), seed)) {
                accepted++;
            } else {
                refused++;
            }
            seed++;
        } while (System.nanoTime() < end);
        System.out.println("fuzzed the ONNX reader: " + accepted + " accepted, " + refused + " refused");
        assertTrue(refused > 0, "no damage was noticed");
    }

    private static boolean isAccepted(byte[] bytes, long seed) {
        try {
            OnnxModels.read(bytes, "fuzz", null);
            return true;
        } catch (ShrikeException e) {
            if (e.getMessage() == null || !e.getMessage().startsWith("fuzz: ")) {
                fail("a message without the file's name, -Dshrike.fuzz.seed=" + seed + ": " + e.getMessage());
            }
            return false;
        } catch (Throwable e) {
            return fail("escaped from the reader, -Dshrike.fuzz.seed=" + seed, e);
        }
    }

    private static byte[] mutated(List<byte[]> models, Random random) {
        byte[] bytes = models.get(random.nextInt(models.size())).clone();
        for (int i = 0; i <= random.nextInt(4); i++) {
            if (bytes.length == 0) {
                return bytes;
            }
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(5)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) (random.nextBoolean() ? 0xff : random.nextInt(256));
                case 2 -> bytes = random.nextInt(4) == 0 ? Arrays.copyOf(bytes, at) : bytes;
                case 3 -> bytes = splice(bytes, at, bytes, random);
                default -> bytes = splice(bytes, at, models.get(random.nextInt(models.size())), random);
            }
        }
        return bytes;
    }

    // Overwrites what is at the position with a piece of the other.
    private static byte[] splice(byte[] bytes, int at, byte[] other, Random random) {
        byte[] result = bytes.clone();
        int from = random.nextInt(other.length);
        int length = Math.min(1 + random.nextInt(32), Math.min(other.length - from, bytes.length - at));
        System.arraycopy(other, from, result, at, length);
        return result;
    }
}
