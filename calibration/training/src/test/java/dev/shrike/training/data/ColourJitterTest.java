package dev.shrike.training.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ColourJitterTest {
    /** The formulas with the remainder as they are written, in the order in which float32 rounds. */
    @Test
    void turnsHuesByTheFormulaToTheBit() {
        Random random = new Random(5);
        for (int seed = 0; seed < 40; seed++) {
            byte[] planes = new byte[3 * 2000];
            random.nextBytes(planes);
            Augmentation how = new Augmentation(0, seed % 2 == 0 ? 0.5 : 0.015, 0.7, 0.4, 0, 0, 0);
            SplittableRandom gains = new SplittableRandom(seed);
            float hue = gain(how.hue(), gains);
            float saturation = gain(how.saturation(), gains);
            float value = gain(how.value(), gains);
            byte[] expected = planes.clone();
            for (int i = 0; i < 2000; i++) {
                turn(expected, i, hue, saturation, value);
            }
            ColourJitter.of(how, new SplittableRandom(seed)).apply(planes);
            assertArrayEquals(expected, planes, "seed " + seed);
        }
    }

    private static float gain(double most, SplittableRandom random) {
        return (float) (1 + (2 * random.nextDouble() - 1) * most);
    }

    private static void turn(byte[] planes, int i, float hue, float saturation, float value) {
        float r = planes[i] & 0xff;
        float g = planes[2000 + i] & 0xff;
        float b = planes[4000 + i] & 0xff;
        float most = Math.max(r, Math.max(g, b));
        float chroma = most - Math.min(r, Math.min(g, b));
        float sector = 0;
        if (chroma > 0) {
            sector = most == r ? ((g - b) / chroma + 6) % 6
                    : most == g ? (b - r) / chroma + 2 : (r - g) / chroma + 4;
        }
        float v = Math.min(255, most * value);
        float c = most == 0 ? 0 : Math.min(1, chroma / most * saturation) * v;
        int[] phases = {5, 3, 1};
        for (int channel = 0; channel < 3; channel++) {
            float k = (phases[channel] + sector * hue % 6) % 6;
            planes[channel * 2000 + i] = (byte) Math.round(v - c * Math.max(0, Math.min(1, Math.min(k, 4 - k))));
        }
    }
}
