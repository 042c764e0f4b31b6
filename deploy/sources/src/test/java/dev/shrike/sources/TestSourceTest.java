package dev.shrike.sources;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.SourceException;
import dev.shrike.sources.SourceState.Phase;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("any-processor")
class TestSourceTest {
    private static List<byte[]> frames(String uri) throws InterruptedException {
        List<byte[]> frames = new ArrayList<>();
        try (FrameSource source = Sources.open(uri)) {
            for (Optional<Frame> next = source.next(); next.isPresent(); next = source.next()) {
                frames.add(next.get().pixels().toArray(ValueLayout.JAVA_BYTE));
            }
            assertEquals(new SourceState(Phase.ENDED, "", frames.size(), 0), source.state());
        }
        return frames;
    }

    @ParameterizedTest
    @EnumSource(value = PixelFormat.class, mode = EnumSource.Mode.EXCLUDE, names = "MJPEG")
    void framesMoveAndAreTheSameForTheSameSeed(PixelFormat format) throws InterruptedException {
        String uri = "test://pattern?size=34x18&fps=0&frames=3&format=" + format.name().toLowerCase() + "&seed=";
        List<byte[]> first = frames(uri + 1);
        List<byte[]> again = frames(uri + 1);
        assertEquals(3, first.size());
        for (int i = 0; i < 3; i++) {
            assertArrayEquals(first.get(i), again.get(i));
        }
        assertFalse(java.util.Arrays.equals(first.get(0), first.get(1)));
        assertFalse(java.util.Arrays.equals(first.get(0), frames(uri + 2).get(0)));
    }

    @Test
    void framesAreNumberedAndStampedInOrder() throws InterruptedException {
        try (FrameSource source = Sources.open("test://pattern?fps=500&size=64x64",
                SourceOptions.builder().camera("front").build())) {
            assertEquals(Phase.CONNECTING, source.state().phase());
            long last = System.nanoTime();
            for (int i = 0; i < 20; i++) {
                Frame frame = source.next().orElseThrow();
                assertEquals(i, frame.sequence());
                assertEquals("front", frame.camera());
                assertTrue(frame.capturedNanos() > last);
                last = frame.capturedNanos();
            }
            assertEquals(new SourceState(Phase.RUNNING, "", 20, 0), source.state());
        }
    }

    @Test
    void retainedFramesAreNotFilledAgain() throws InterruptedException {
        try (FrameSource source = Sources.open("test://pattern?fps=0&size=64x64")) {
            List<Frame> kept = new ArrayList<>();
            List<byte[]> pixels = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                Frame frame = source.next().orElseThrow();
                assertTrue(source.retain(frame));
                kept.add(frame);
                pixels.add(frame.pixels().toArray(ValueLayout.JAVA_BYTE));
            }
            for (int i = 0; i < 9; i++) {
                assertFalse(source.retain(source.next().orElseThrow()));
            }
            for (int i = 0; i < 3; i++) {
                assertArrayEquals(pixels.get(i), kept.get(i).pixels().toArray(ValueLayout.JAVA_BYTE));
            }
            source.release(kept.get(1));
            assertTrue(source.retain(source.next().orElseThrow()));
            source.close();
            assertArrayEquals(pixels.get(0), kept.get(0).pixels().toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Test
    void closeEndsAWaitForTheNextFrame() throws InterruptedException {
        FrameSource source = Sources.open("test://pattern?fps=0.001");
        assertTrue(source.next().isPresent());
        Thread closing = Thread.ofPlatform().start(() -> {
            try {
                Thread.sleep(50);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            source.close();
        });
        assertTrue(source.next().isEmpty());
        closing.join();
        assertEquals(Phase.ENDED, source.state().phase());
        assertEquals("closed", source.state().reason());
    }

    @ParameterizedTest
    @ValueSource(strings = {"test://", "test://stripes", "test://pattern?size=1x1", "test://pattern?size=99999x99999",
            "test://pattern?fps=-1", "test://pattern?fps=NaN", "test://pattern?fps=x", "test://pattern?what=1",
            "test://pattern?", "test://pattern?format=mjpeg", "test://pattern?size=axb", "test://pattern?=1"})
    void wrongPatternsAreRefused(String uri) {
        SourceException e = assertThrows(SourceException.class, () -> Sources.open(uri));
        assertTrue(e.getMessage().contains("test://pattern?size=640x480"), e.getMessage());
    }
}
