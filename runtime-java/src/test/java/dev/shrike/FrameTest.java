package dev.shrike;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FrameTest {
    /** The products of some of them overflow 32 bits, of others 64. */
    @ParameterizedTest
    @CsvSource({"65536, 65536", "2147483647, 2147483647", "65536, 21846", "1, 2147483647", "715827883, 1",
            "46341, 46341"})
    void refusesSizesWhoseBytesOverflow(int width, int height) {
        MemorySegment five = Arena.ofAuto().allocate(5);
        var wrapped = assertThrows(IllegalArgumentException.class,
                () -> new Frame(width, height, five, Instant.now()));
        assertTrue(wrapped.getMessage().contains(width + "x" + height + " is too large"), wrapped.getMessage());
        assertThrows(IllegalArgumentException.class, () -> Frame.allocate(width, height));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "-1, 5", "5, -1", "-2147483648, -2147483648", "0, 2147483647"})
    void refusesSizesThatAreNotPositive(int width, int height) {
        MemorySegment memory = Arena.ofAuto().allocate(5000);
        for (var error : new IllegalArgumentException[] {
                assertThrows(IllegalArgumentException.class, () -> new Frame(width, height, memory, Instant.now())),
                assertThrows(IllegalArgumentException.class, () -> Frame.allocate(width, height))}) {
            assertTrue(error.getMessage().contains("is not positive"), error.getMessage());
        }
    }

    @Test
    void refusesMemoryThatIsTooShortOrOnTheHeap() {
        Arena arena = Arena.ofAuto();
        assertEquals(4, new Frame(4, 5, arena.allocate(60), Instant.now()).width());
        var error = assertThrows(IllegalArgumentException.class,
                () -> new Frame(4, 5, arena.allocate(59), Instant.now()));
        assertTrue(error.getMessage().contains("needs 60 bytes, got 59"), error.getMessage());
        assertThrows(IllegalArgumentException.class,
                () -> new Frame(4, 5, MemorySegment.ofArray(new byte[60]), Instant.now()));
        assertThrows(IllegalArgumentException.class,
                () -> new Frame(26754, 26754, arena.allocate(60), Instant.now()), "the largest square");
    }

    /** Least bytes of a frame, without padding and with rows of 20 bytes. */
    @ParameterizedTest
    @CsvSource({"BGR, 5, 3, 45, 55", "RGB, 5, 3, 45, 55", "GREY, 5, 3, 15, 45", "YUYV, 4, 3, 24, 48",
            "YUYV, 5, 3, 36, 52", "UYVY, 5, 3, 36, 52", "NV12, 4, 4, 24, 104", "NV12, 5, 3, 30, 86",
            "I420, 4, 4, 24, 112", "I420, 5, 3, 27, 93", "I420, 1, 1, 3, 31"})
    void needsTheBytesOfItsFormat(PixelFormat format, int width, int height, int plain, int padded) {
        for (int stride : new int[] {0, 20}) {
            int bytes = stride == 0 ? plain : padded;
            ByteBuffer enough = ByteBuffer.allocateDirect(bytes);
            Frame frame = new Frame(format, width, height, stride, enough, "front");
            assertEquals(bytes, frame.pixels().byteSize());
            ByteBuffer less = ByteBuffer.allocateDirect(bytes).position(1);
            assertThrows(IllegalArgumentException.class,
                    () -> new Frame(format, width, height, stride, less, "front"));
        }
        assertEquals(plain, Frame.allocate(format, width, height, "").pixels().byteSize());
        assertThrows(IllegalArgumentException.class,
                () -> new Frame(format, width, height, format == PixelFormat.BGR ? 14 : 0,
                        ByteBuffer.allocate(1000), "front"));
    }

    @Test
    void seesTheBufferOfItsCaller() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(20).position(8);
        Frame frame = new Frame(PixelFormat.GREY, 4, 3, 0, buffer, "front");
        buffer.put(8, (byte) 77);
        assertEquals(77, frame.pixels().get(ValueLayout.JAVA_BYTE, 0));
        assertEquals("front", frame.camera());
    }
}
