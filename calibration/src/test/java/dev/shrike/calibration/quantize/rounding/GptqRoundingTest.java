package dev.shrike.calibration.quantize.rounding;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.calibration.linear.RidgeRegression;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GptqRoundingTest {
    /** More beginnings that are followed find better codes, all in all. */
    @Test
    void followingMoreBeginningsIsBetter() {
        int size = 48;
        double one = 0;
        double many = 0;
        for (int seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            double[] factor = RidgeRegression.inverseFactor(WeightRoundingTest.hessian(random, size), size);
            double[] weights = WeightRoundingTest.weights(random, size);
            GptqRounding rounding = new GptqRounding(factor, size);
            ScaledCodebook grid = new ScaledCodebook(new Codebook.Uniform(4), 0.4f);
            RowCodes nearest = rounding.nearest(weights, List.of(grid))[0];
            RowCodes same = rounding.best(weights, grid, 1);
            assertArrayEquals(nearest.codes(), same.codes());
            assertEquals(nearest.error(), same.error(), 1e-9 * nearest.error());
            RowCodes best = rounding.best(weights, grid, 16);
            double[] hessian = WeightRoundingTest.hessian(new Random(seed), size);
            byte[] codes = new byte[size];
            for (int i = 0; i < size; i++) {
                codes[i] = (byte) best.codes()[i];
            }
            double objective = WeightRoundingTest.objective(hessian, size, weights,
                    new WeightRounding.Rounded(codes, new float[] {grid.scale()}));
            assertEquals(objective, best.error(), 1e-6 * objective);
            one += nearest.error();
            many += best.error();
        }
        assertTrue(many < 0.9 * one, many + " and " + one);
    }
}
