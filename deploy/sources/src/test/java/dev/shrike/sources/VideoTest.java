package dev.shrike.sources;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.SourceException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("any-processor")
@Timeout(120)
class VideoTest {
    private static final int FRAMES = 10;

    @TempDir
    private static Path folder;
    private static Path clip;

    @BeforeAll
    static void writeClip() throws InterruptedException {
        clip = Clips.write(folder.resolve("clip.mp4"), 160, 96, FRAMES);
    }

    private static List<Long> millis(SourceOptions options, int most) throws InterruptedException {
        try (FrameSource source = Sources.open(clip.toString(), options)) {
            return millis(source, most);
        }
    }

    /** Times of the next frames after the first of them. */
    private static List<Long> millis(FrameSource source, int most) throws InterruptedException {
        List<Long> times = new ArrayList<>();
        Optional<Frame> next = source.next();
        long first = next.orElseThrow().capturedNanos();
        for (; next.isPresent() && times.size() < most; next = source.next()) {
            times.add((next.get().capturedNanos() - first + 500_000) / 1_000_000);
        }
        return times;
    }

    @Test
    void framesHaveTheTimesOfTheVideo() throws InterruptedException {
        assertEquals(List.of(0L, 40L, 80L, 120L, 160L, 200L, 240L, 280L, 320L, 360L),
                millis(SourceOptions.DEFAULTS, 100));
        assertEquals(List.of(0L, 120L, 240L, 360L), millis(SourceOptions.builder().rate(25 / 3.0).build(), 100));
    }

    @Test
    void timeGoesOnWhenTheVideoBeginsAgain() throws InterruptedException {
        List<Long> times = millis(SourceOptions.builder().loop(true).build(), 25);
        for (int i = 0; i < 25; i++) {
            assertEquals(40L * i, times.get(i), 1, times.toString());
        }
    }

    @Test
    void pixelsAreThoseOfThePattern() throws InterruptedException {
        try (FrameSource video = Sources.open(clip.toString());
                FrameSource pattern = Sources.open("test://pattern?fps=0&size=160x96")) {
            for (int i = 0; i < FRAMES; i++) {
                Frame decoded = video.next().orElseThrow();
                byte[] was = pattern.next().orElseThrow().pixels().toArray(ValueLayout.JAVA_BYTE);
                byte[] is = decoded.pixels().toArray(ValueLayout.JAVA_BYTE);
                assertEquals(PixelFormat.I420, decoded.format());
                assertEquals(was.length, is.length);
                long sum = 0;
                for (int at = 0; at < was.length; at++) {
                    sum += Math.abs((was[at] & 0xff) - (is[at] & 0xff));
                }
                assertTrue(sum < 12L * was.length, "mean difference " + (double) sum / was.length);
            }
        }
    }

    /** A decoder would fill what is missing with grey, or with the frame before. */
    @Test
    void framesOfJpegThatAreCutOffAreLeftOutAndCounted() throws Exception {
        List<byte[]> frames = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            frames.add(MjpegVideo.frame(160, 96, i));
        }
        frames.set(2, Arrays.copyOf(frames.get(2), frames.get(2).length / 2));
        byte[] hole = frames.get(4);
        Arrays.fill(hole, hole.length / 2, hole.length / 2 + 500, (byte) 0);
        frames.set(6, Arrays.copyOf(frames.get(6), 20));
        Path file = MjpegVideo.write(folder.resolve("damaged.avi"), 160, 96, frames);
        try (FrameSource source = Sources.open(file.toString())) {
            assertEquals(List.of(0L, 100L, 300L, 500L, 700L), millis(source, 100));
            assertEquals(3, source.damaged());
        }
    }

    @Test
    void aVideoThatWasCutOffSaysSoAtItsEnd() throws Exception {
        List<byte[]> frames = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            frames.add(MjpegVideo.frame(32, 32, i));
        }
        Path whole = MjpegVideo.write(folder.resolve("whole.avi"), 32, 32, frames);
        byte[] bytes = Files.readAllBytes(whole);
        Path half = Files.write(folder.resolve("half.avi"), Arrays.copyOf(bytes, bytes.length / 2));
        for (Path file : List.of(whole, half, clip)) {
            try (FrameSource source = Sources.open(file.toString())) {
                int count = 0;
                while (source.next().isPresent()) {
                    count++;
                }
                assertEquals(file == half, source.missing() > 0, file + ": " + source.missing());
                assertEquals(file == clip ? FRAMES : 20, count + source.missing() + source.damaged(), file.toString());
            }
        }
    }

    /** A turn there and back is none, and the corners go where they should. */
    @ParameterizedTest
    @CsvSource({"bgr", "rgb", "grey", "yuyv", "uyvy", "nv12", "i420"})
    void framesAreTurnedInTheirFormat(String format) throws InterruptedException {
        String uri = "test://pattern?fps=0&size=32x18&format=" + format;
        for (int rotation : new int[] {90, 180, 270}) {
            try (FrameSource plain = Sources.open(uri);
                    FrameSource turned = Sources.open(uri, SourceOptions.builder().rotation(rotation).build())) {
                Frame from = plain.next().orElseThrow();
                Frame to = turned.next().orElseThrow();
                assertEquals(rotation == 180 ? "32x18" : "18x32", to.width() + "x" + to.height());
                assertEquals(from.sequence(), to.sequence());
                for (int y = 0; y < 18; y++) {
                    for (int x = 0; x < 32; x++) {
                        int column = rotation == 90 ? 17 - y : rotation == 180 ? 31 - x : y;
                        int row = rotation == 90 ? x : rotation == 180 ? 17 - y : 31 - x;
                        assertEquals(luminance(from, x, y), luminance(to, column, row), rotation + ": " + x + " " + y);
                    }
                }
            }
        }
        try (FrameSource plain = Sources.open(uri);
                FrameSource mirrored = Sources.open(uri, SourceOptions.builder().mirror(true).build())) {
            Frame from = plain.next().orElseThrow();
            Frame to = mirrored.next().orElseThrow();
            assertEquals(luminance(from, 0, 3), luminance(to, 31, 3));
            assertFalse(Arrays.equals(from.pixels().toArray(ValueLayout.JAVA_BYTE),
                    to.pixels().toArray(ValueLayout.JAVA_BYTE)));
        }
    }

    private static int luminance(Frame frame, int x, int y) {
        int at = switch (frame.format()) {
            case BGR, RGB -> 3 * x;
            case YUYV -> 2 * x;
            case UYVY -> 2 * x + 1;
            case GREY, NV12, I420, MJPEG -> x;
        };
        return frame.pixels().get(ValueLayout.JAVA_BYTE, (long) y * frame.stride() + at);
    }

    /** Bytes of the frames are overwritten, not those of the container: of what is missing then each is counted. */
    @Test
    void framesThatAreLeftOutAreCounted() throws Exception {
        Path whole = Clips.write(folder.resolve("whole.mp4"), 64, 48, 20);
        byte[] bytes = Files.readAllBytes(whole);
        long left = 0;
        for (int seed = 0; seed < 20; seed++) {
            byte[] hurt = bytes.clone();
            Random random = new Random(seed);
            int frames = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("mdat") + 4;
            for (int i = 0; i < 40; i++) {
                hurt[frames + random.nextInt((bytes.length - frames) / 2)] = (byte) random.nextInt();
            }
            Path file = Files.write(folder.resolve("hurt.mp4"), hurt);
            int given = 0;
            try (FrameSource source = Sources.open(file.toString())) {
                for (Optional<Frame> next = source.next(); next.isPresent(); next = source.next()) {
                    given++;
                }
                assertTrue(given == 20 || source.damaged() > 0, "seed " + seed + ": " + given + " frames");
                left += source.damaged();
            } catch (SourceException e) {
                assertTrue(e.getMessage().contains("hurt.mp4"), e.getMessage());
            }
        }
        assertTrue(left > 0, "nothing was damaged");
        try (FrameSource source = Sources.open(whole.toString())) {
            while (source.next().isPresent()) {
                assertEquals(0, source.damaged());
            }
        }
    }

    @Test
    void whatIsNoVideoIsToldSo() throws Exception {
        for (String text : List.of("", "no video", "#EXTM3U\nhttp://127.0.0.1:1/a.ts\n")) {
            Path file = Files.writeString(folder.resolve("not.mp4"), text);
            try (FrameSource source = Sources.open(file.toString())) {
                SourceException e = assertThrows(SourceException.class, source::next);
                assertTrue(e.getMessage().startsWith(file + ": is no video that can be read: "), e.getMessage());
                assertTrue(source.next().isEmpty());
            }
        }
        byte[] whole = Files.readAllBytes(clip);
        Path cut = Files.write(folder.resolve("cut.mp4"), Arrays.copyOf(whole, whole.length / 2));
        try (FrameSource source = Sources.open(cut.toString())) {
            assertThrows(SourceException.class, source::next);
        }
    }

    @Test
    void oddSizesAndAllFormatsAreWritten() throws InterruptedException {
        for (String format : List.of("bgr", "rgb", "grey", "yuyv", "uyvy", "nv12", "i420")) {
            Path file = folder.resolve(format + ".mp4");
            int width = format.equals("yuyv") || format.equals("uyvy") ? 34 : 33;
            String uri = "test://pattern?fps=0&frames=3&size=" + width + "x19&format=" + format;
            try (FrameSource source = Sources.open(uri); VideoWriter writer = VideoWriter.create(file, width, 19)) {
                for (Optional<Frame> next = source.next(); next.isPresent(); next = source.next()) {
                    writer.write(next.get());
                }
                assertFalse(Files.exists(file), "before it is whole");
            }
            try (FrameSource source = Sources.open(file.toString())) {
                Frame frame = source.next().orElseThrow();
                assertEquals("34x20", frame.width() + "x" + frame.height());
            }
        }
        Path nowhere = folder.resolve("no/such/folder.mp4");
        SourceException e = assertThrows(SourceException.class, () -> VideoWriter.create(nowhere, 64, 64));
        assertTrue(e.getMessage().startsWith(nowhere + ": cannot be written"), e.getMessage());
    }
}
