package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.Frame;
import dev.shrike.sources.FrameSource;
import dev.shrike.sources.Sources;
import dev.shrike.sources.VideoWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code shrike detect} on videos, with a small network and a video whose contents are known. */
class DetectVideoTest {
    private static final int FRAMES = 10;

    @TempDir
    private static Path given;
    private static Path model;
    private static Path clip;
    private static Path image;

    @TempDir
    private Path folder;

    private record Outcome(int exit, String out, String err) {}

    @BeforeAll
    static void makeVideo() {
        model = ToyModel.write(given.resolve("toy.onnx"));
        image = ToyModel.redAndBlue(given.resolve("blocks.png"));
        clip = given.resolve("clip.mp4");
        Frame frame = Frame.read(image);
        try (VideoWriter writer = VideoWriter.create(clip, frame.width(), frame.height())) {
            for (int i = 0; i < FRAMES; i++) {
                writer.write(frame, i * 100_000_000L);
            }
        }
    }

    private Outcome detect(Object... more) {
        List<String> args = new ArrayList<>(List.of("detect", "--weights", model.toString(), "--project",
                folder.resolve("runs").toString(), "--threads", "1"));
        for (Object arg : more) {
            args.add(arg.toString());
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = Main.run(args.toArray(String[]::new), new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Outcome(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private List<String> written() throws IOException {
        Path runs = folder.resolve("runs");
        try (var files = Files.walk(runs)) {
            return files.filter(Files::isRegularFile).map(file -> runs.relativize(file).toString()).sorted().toList();
        }
    }

    private static List<Long> times(Path video) throws InterruptedException {
        List<Long> times = new ArrayList<>();
        try (FrameSource source = Sources.open(video.toString())) {
            for (Optional<Frame> next = source.next(); next.isPresent(); next = source.next()) {
                times.add(next.get().capturedNanos() / 1_000_000);
            }
        }
        long first = times.getFirst();
        return times.stream().map(time -> time - first).toList();
    }

    @Test
    void videoIsLookedAtFrameByFrameAndWrittenWithBoxes() throws Exception {
        Outcome outcome = detect("--source", clip, "--save-txt");
        assertEquals(0, outcome.exit(), outcome.err());
        List<String> lines = outcome.out().lines().toList();
        assertTrue(lines.get(0).startsWith("video 1/1 (1, 0.00s) " + clip + ": 64x64 1 red block, 1 blue block, "),
                lines.get(0));
        assertTrue(lines.get(9).startsWith("video 1/1 (10, 0.90s) "), lines.get(9));
        List<String> expected = new ArrayList<>(List.of("exp/clip.mp4"));
        for (int i = 1; i <= FRAMES; i++) {
            expected.add("exp/labels/clip_" + i + ".txt");
        }
        assertEquals(expected.stream().sorted().toList(), written());
        assertEquals(List.of(0L, 100L, 200L, 300L, 400L, 500L, 600L, 700L, 800L, 900L),
                times(folder.resolve("runs/exp/clip.mp4")));
        assertEquals(2, Files.readAllLines(folder.resolve("runs/exp/labels/clip_3.txt")).size());
    }

    @Test
    void strideTakesEveryNthFrameAndKeepsTheTimes() throws Exception {
        Outcome outcome = detect(clip, "--vid-stride", "4", "--json");
        assertEquals(0, outcome.exit(), outcome.err());
        List<String> lines = outcome.out().lines().toList();
        assertEquals(2, lines.size());
        JsonSchema schema = JsonSchema.read(Repository.root().resolve("docs/detect.schema.json"));
        for (int i = 0; i < 2; i++) {
            assertEquals(List.of(), schema.violations(lines.get(i)));
            JsonNode line = new ObjectMapper().readTree(lines.get(i));
            assertEquals(i + 1, line.get("frame").asInt());
            assertEquals(0.3 + 0.4 * i, line.get("time_s").asDouble(), 1e-9);
            assertEquals(clip.toString(), line.get("source").asText());
            assertEquals(2, line.get("detections").size());
        }
        assertEquals(List.of(0L, 400L), times(folder.resolve("runs/exp/clip.mp4")));
    }

    @Test
    void imagesAndVideosOfAFolderAreBothLookedAt() throws Exception {
        Path mixed = Files.createDirectory(folder.resolve("mixed"));
        Files.copy(clip, mixed.resolve("moving.mp4"));
        Files.copy(image, mixed.resolve("still.png"));
        Files.writeString(mixed.resolve("broken.mp4"), "no video");
        Outcome outcome = detect(mixed, "--vid-stride", "5");
        assertEquals(1, outcome.exit());
        assertTrue(outcome.err().contains("broken.mp4: is no video that can be read: "), outcome.err());
        assertEquals(List.of("exp/moving.mp4", "exp/still.png"), written());
        assertTrue(outcome.out().contains("video 2/2 (2, 0.90s)"), outcome.out());
    }

    @Test
    void aVideoWithFewerFramesThanTheStrideIsNamed() throws Exception {
        Outcome outcome = detect(clip, "--vid-stride", "1000", "--nosave");
        assertEquals(1, outcome.exit());
        assertTrue(outcome.err().contains(clip + ": has no frame to run on: fewer than --vid-stride 1000"),
                outcome.err());
    }

    @Test
    void patternsAndCamerasGoTheSameWay() throws Exception {
        Outcome outcome = detect("test://pattern?size=64x64&fps=0&frames=3", "--save-csv", "--nosave");
        assertEquals(0, outcome.exit(), outcome.err());
        assertEquals(3, outcome.out().lines().filter(line -> line.startsWith("video 1/1 (")).count(), outcome.out());
        outcome = detect("0", "1");
        assertEquals(1, outcome.exit());
        assertTrue(outcome.err().contains("one camera or stream at a time"), outcome.err());
    }

    @Test
    void trackedObjectsKeepTheirIdsFromTheSecondFrameOn() throws Exception {
        Outcome outcome = detect(clip, "--track", "--json", "--save-txt", "--save-conf");
        assertEquals(0, outcome.exit(), outcome.err());
        List<String> lines = outcome.out().lines().toList();
        assertEquals(FRAMES, lines.size());
        JsonSchema schema = JsonSchema.read(Repository.root().resolve("docs/detect.schema.json"));
        for (int i = 1; i < FRAMES; i++) {
            assertEquals(List.of(), schema.violations(lines.get(i)));
            List<Integer> ids = new ArrayList<>();
            new ObjectMapper().readTree(lines.get(i)).get("detections").forEach(
                    one -> ids.add(one.get("track_id").asInt()));
            assertEquals(List.of(1, 2), ids.stream().sorted().toList(), lines.get(i));
            String label = Files.readString(folder.resolve("runs/exp/labels/clip_" + (i + 1) + ".txt"));
            assertTrue(label.matches("(\\d+( \\d\\.\\d{6}){5} [12]\n){2}"), label);
        }
        Frame drawn = last(folder.resolve("runs/exp/clip.mp4"));
        detect(clip);
        assertFalse(samePixels(drawn, last(folder.resolve("runs/exp2/clip.mp4"))), "ids are drawn");
    }

    private static Frame last(Path video) throws InterruptedException {
        Frame last = null;
        try (FrameSource source = Sources.open(video.toString())) {
            for (Optional<Frame> next = source.next(); next.isPresent(); next = source.next()) {
                last = next.get();
            }
        }
        return last;
    }

    private static boolean samePixels(Frame one, Frame other) {
        return one.pixels().mismatch(other.pixels()) < 0;
    }

    @Test
    void trackAndViewSayThatTheyAreNotForImages() {
        Outcome outcome = detect(image, "--track", "--nosave");
        assertEquals(0, outcome.exit(), outcome.err());
        assertTrue(outcome.out().contains("1 red block, 1 blue block"), outcome.out());
        assertTrue(outcome.err().contains("--track changes nothing"), outcome.err());
        assertEquals(2, detect(image, "--view-port", "65536").exit());
    }

    @Test
    void thePageOfARunEndsWithIt() {
        Outcome outcome = detect(clip, "--view", "--nosave");
        assertEquals(0, outcome.exit(), outcome.err());
        var address = java.util.regex.Pattern.compile("page at http://127\\.0\\.0\\.1:(\\d+)/").matcher(outcome.err());
        assertTrue(address.find(), outcome.err());
        assertThrows(java.net.ConnectException.class,
                () -> new java.net.Socket("127.0.0.1", Integer.parseInt(address.group(1))).close());
    }

    @Test
    void credentialsAreNeitherPrintedNorWritten() throws Exception {
        Outcome outcome = detect("rtsp://me:hunter2@cam:port/live");
        assertEquals(1, outcome.exit());
        assertFalse((outcome.out() + outcome.err()).contains("hunter2"), outcome.err());
    }
}
