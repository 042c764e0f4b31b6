package dev.shrike.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchesTest {
    @Test
    void areOneNumberOrThree() {
        assertEquals(new Batches(1, 8, 8), Batches.parse("8"));
        assertEquals(new Batches(1, 1, 1), Batches.parse(" 1 "));
        assertEquals(new Batches(2, 4, 256), Batches.parse("2,4,256"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "0", "257", "-1", "1,8", "1,8,4", "4,1,8", "1,4,8,16", "1, 4, 8", "99999999999",
            "1.5"})
    void nothingElseIsTaken(String text) {
        assertThrows(IllegalArgumentException.class, () -> Batches.parse(text));
    }

    @Test
    void areDescribed() {
        assertEquals("1 to 8 pictures, best at 4", new Batches(1, 4, 8).describe());
        assertEquals("8 pictures", new Batches(8, 8, 8).describe());
        assertEquals("1 picture", new Batches(1, 1, 1).describe());
        assertTrue(new Batches(8, 8, 8).hasOneSize());
        assertFalse(new Batches(1, 8, 8).hasOneSize());
    }
}
