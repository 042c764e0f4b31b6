package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Damaged models are opened and run: nothing but a ShrikeException comes out. {@code -Dshrike.fuzz.cases} (2000) and
 * {@code -Dshrike.fuzz.seed} (1) choose the cases; {@code platforms/cpu/fuzz.sh} runs many more.
 */
class ModelFuzzTest {
    private static final long SECONDS_PER_CASE = 300;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource
    void damagedModelsRunOrAreRefused(ModelFuzzer.Format format) throws IOException {
        long seed = Long.getLong("shrike.fuzz.seed", 1);
        long cases = Long.getLong("shrike.fuzz.cases", 2000);
        try (ModelFuzzer fuzzer = new ModelFuzzer(format, seed, SECONDS_PER_CASE, folder)) {
            fuzzer.run(0, cases);
            System.out.println("fuzzed " + format + ", seed " + seed + ": " + fuzzer.outcomes());
            assertEquals(Map.of(), fuzzer.failures());
            // Damage must neither go unnoticed nor always be noticed at the door.
            assertTrue(fuzzer.outcomes().getOrDefault("ran", 0) > cases / 20, fuzzer.outcomes().toString());
            assertTrue(fuzzer.outcomes().getOrDefault("ModelException", 0) > cases / 20, fuzzer.outcomes().toString());
        }
    }
}
