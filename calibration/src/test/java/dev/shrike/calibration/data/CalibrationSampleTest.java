package dev.shrike.calibration.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.vision.Images;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CalibrationSampleTest {
    @TempDir
    private Path folder;

    private Path image(String name, int brightest) {
        Frame frame = Frame.allocate(20, 20);
        for (int i = 0; i < 1200; i++) {
            frame.pixels().set(ValueLayout.JAVA_BYTE, i, (byte) (brightest * i / 1200));
        }
        Images.write(frame, folder.resolve(name));
        return folder.resolve(name);
    }

    private static CalibrationSample choose(List<Path> all, int most) {
        return CalibrationSample.choose(all, most, (_, _, _) -> {});
    }

    @Test
    void whatCannotBeReadIsReplacedByTheNext() throws IOException {
        List<Path> all = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            all.add(image(i + ".png", 100 + i));
        }
        assertEquals(List.of(all.get(0), all.get(5), all.get(10), all.get(15)), choose(all, 4).images());
        Files.writeString(all.get(5), "no image");
        Files.delete(all.get(6));
        CalibrationSample sample = choose(all, 4);
        assertEquals(List.of(all.get(0), all.get(7), all.get(10), all.get(15)), sample.images());
        assertEquals(2, sample.problems().size());
        assertEquals(18, choose(all, 1000).images().size());
        assertEquals(List.of(), choose(all, 1000).warnings());
    }

    @Test
    void fewEqualAndBlankImagesAreWarnedOf() throws IOException {
        List<Path> same = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            same.add(image(i + ".png", i < 8 ? 200 : 100 + i));
        }
        assertEquals(List.of(), choose(same, 16).warnings());
        same.add(image("a.png", 200));
        same.add(image("b.png", 200));
        List<String> warnings = choose(same, 18).warnings();
        assertEquals(1, warnings.size());
        assertTrue(warnings.getFirst().startsWith("9 of 18 images look the same"), warnings.toString());
        List<String> blank =
                choose(List.of(image("c.png", 0), image("d.png", 2), image("e.png", 90)), 3).warnings();
        assertEquals(2, blank.size());
        assertTrue(blank.getFirst().startsWith("only 3 images to calibrate with"), blank.toString());
        assertTrue(blank.getLast().startsWith("2 of 3 images have one colour only"), blank.toString());
    }
}
