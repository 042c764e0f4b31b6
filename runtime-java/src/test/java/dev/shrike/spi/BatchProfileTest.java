package dev.shrike.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchProfileTest {
    @Test
    void areOneNumberOrThree() {
        assertEquals(new BatchProfile(1, 8, 8), BatchProfile.parse("8"));
        assertEquals(new BatchProfile(1, 1, 1), BatchProfile.parse(" 1 "));
        assertEquals(new BatchProfile(2, 4, 256), BatchProfile.parse("2,4,256"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "0", "257", "-1", "1,8", "1,8,4", "4,1,8", "1,4,8,16", "1, 4, 8", "99999999999",
            "1.5"})
    void nothingElseIsTaken(String text) {
        assertThrows(IllegalArgumentException.class, () -> BatchProfile.parse(text));
    }

    @Test
    void areDescribed() {
        assertEquals("1 to 8 images, best at 4", new BatchProfile(1, 4, 8).describe());
        assertEquals("8 images", new BatchProfile(8, 8, 8).describe());
        assertEquals("1 image", new BatchProfile(1, 1, 1).describe());
        assertTrue(new BatchProfile(8, 8, 8).hasOneSize());
        assertFalse(new BatchProfile(1, 8, 8).hasOneSize());
    }
}
