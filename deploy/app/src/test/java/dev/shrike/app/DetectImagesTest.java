package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.vision.Images;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code shrike detect} does with images of odd kinds and in odd places. */
class DetectImagesTest {
    @TempDir
    private static Path models;

    private static Path model;

    @TempDir
    private Path folder;

    private record Outcome(int exit, String out, String err) {}

    @BeforeAll
    static void makeModel() {
        model = ToyModel.write(models.resolve("toy.onnx"));
    }

    private static Outcome detect(Object... more) {
        List<Object> args = new ArrayList<>(List.of("detect", "--weights", model, "--threads", "1"));
        args.addAll(List.of(more));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = Main.run(args.stream().map(Object::toString).toArray(String[]::new),
                new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Outcome(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    @Test
    void resultsAreNotWrittenOverTheImages() throws IOException {
        Path images = Files.createDirectories(folder.resolve("in"));
        Path image = ToyModel.redAndBlue(images.resolve("a.png"));
        byte[] before = Files.readAllBytes(image);
        Outcome outcome = detect("--project", folder, "--name", "in", "--exist-ok", image);
        assertEquals(1, outcome.exit(), outcome.err());
        assertTrue(outcome.err().contains(images + ": has the images that are read"), outcome.err());
        assertArrayEquals(before, Files.readAllBytes(image));
        // Without --exist-ok there is a folder of its own.
        assertEquals(0, detect("--project", folder, "--name", "in", image).exit());
        assertTrue(Files.exists(folder.resolve("in2/a.png")));
        assertArrayEquals(before, Files.readAllBytes(image));
    }

    @Test
    void ofSeveralPagesTheFirstIsLookedAtAndThatIsSaid() throws IOException {
        BufferedImage page = ImageIO.read(ToyModel.redAndBlue(folder.resolve("a.png")).toFile());
        Path file = folder.resolve("pages.tif");
        ImageWriter writer = ImageIO.getImageWritersByFormatName("tiff").next();
        try (ImageOutputStream out = ImageIO.createImageOutputStream(file.toFile())) {
            writer.setOutput(out);
            writer.prepareWriteSequence(null);
            for (int i = 0; i < 3; i++) {
                writer.writeToSequence(new IIOImage(page, null, null), null);
            }
            writer.endWriteSequence();
        } finally {
            writer.dispose();
        }
        Outcome outcome = detect("--nosave", file);
        assertEquals(0, outcome.exit(), outcome.err());
        assertTrue(outcome.out().contains(": 64x64 1 red block, 1 blue block"), outcome.out());
        assertEquals(file + ": holds 3 images; the first is looked at\n", outcome.err());
        assertEquals("", detect("--nosave", "--quiet", file).err());
    }

    @Test
    void whatMacOsLeavesBesideImagesIsLeftAlone() throws IOException {
        Path images = Files.createDirectories(folder.resolve("in"));
        ToyModel.redAndBlue(images.resolve("a.png"));
        byte[] beside = Arrays.copyOf(new byte[] {0, 5, 0x16, 7, 0, 2, 0, 0}, 120);
        Path hidden = Files.write(images.resolve("._a.png"), beside);
        for (Object source : List.of(images, images + "/*.png", images + "/**")) {
            Outcome outcome = detect("--nosave", source);
            assertEquals(0, outcome.exit(), outcome.err());
            assertEquals("", outcome.err());
        }
        Outcome named = detect("--nosave", hidden);
        assertEquals(1, named.exit());
        assertTrue(named.err().contains("but what macOS keeps beside a file of another volume"), named.err());
    }

    @Test
    void theLimitOfPixelsIsAnOption() {
        Path image = ToyModel.redAndBlue(folder.resolve("a.png"));
        Outcome outcome = detect("--nosave", "--max-pixels", "4095", image);
        assertEquals(1, outcome.exit());
        assertTrue(outcome.err().contains("has 4096 pixels, the limit is 4095: make the image smaller, or raise the"
                + " limit with --max-pixels 4096"), outcome.err());
        assertNull(System.getProperty(Images.MAX_PIXELS_PROPERTY), "the option is of one run");
        assertEquals(0, detect("--nosave", "--max-pixels", "4096", image).exit());
        assertEquals(2, detect("--nosave", "--max-pixels", "9999999999", image).exit());
        assertEquals(2, detect("--nosave", "--max-pixels", "many", image).exit());
    }
}
