package dev.shrike.cpu.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class ZeroPackingTest {
    @Test
    void theLayoutIsAsDescribed() {
        byte[] elements = {0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0, 5, 0};
        byte[] packed = {(byte) 0b0010_1010, 0b10, 1, 0, 0, 2, 3, 4, 5, 0};
        assertArrayEquals(packed, ZeroPacking.pack(elements, 2));
        assertEquals(packed.length, ZeroPacking.size(elements, 2));
        assertArrayEquals(elements, ZeroPacking.unpack(packed, 10, 2));
    }

    @Test
    void randomElementsComeBack() {
        Random random = new Random(1);
        for (int n = 0; n < 70; n++) {
            for (int width : new int[] {1, 2, 4, 8}) {
                byte[] elements = new byte[n * width];
                for (int i = 0; i < elements.length; i++) {
                    elements[i] = random.nextInt(3) == 0 ? (byte) random.nextInt() : 0;
                }
                byte[] packed = ZeroPacking.pack(elements, width);
                assertEquals(packed.length, ZeroPacking.size(elements, width));
                assertArrayEquals(elements, ZeroPacking.unpack(packed, n, width), n + " of " + width);
            }
        }
    }

    @Test
    void bytesOfAnotherNumberOfElementsAreRefused() {
        byte[] packed = ZeroPacking.pack(new byte[] {1, 0, 0, 4, 5, 0, 0, 0, 9, 10}, 1);
        assertNull(ZeroPacking.unpack(packed, 9, 1));
        assertNull(ZeroPacking.unpack(packed, 17, 1));
        assertNull(ZeroPacking.unpack(packed, 10, 2));
        assertNull(ZeroPacking.unpack(Arrays.copyOf(packed, packed.length - 1), 10, 1));
        assertNull(ZeroPacking.unpack(Arrays.copyOf(packed, packed.length + 1), 10, 1));
        assertNull(ZeroPacking.unpack(new byte[0], 1, 1));
        packed[1] |= (byte) 0x80;
        assertNull(ZeroPacking.unpack(packed, 10, 1));
    }
}
