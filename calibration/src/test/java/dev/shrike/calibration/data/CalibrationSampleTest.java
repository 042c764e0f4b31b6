package dev.shrike.calibration.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.vision.Pictures;
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

    private Path picture(String name, int brightest) {
        Frame frame = Frame.allocate(20, 20);
        for (int i = 0; i < 1200; i++) {
            frame.pixels().set(ValueLayout.JAVA_BYTE, i, (byte) (brightest * i / 1200));
        }
        Pictures.write(frame, folder.resolve(name));
        return folder.resolve(name);
    }

    private static CalibrationSample choose(List<Path> all, int most) {
        return CalibrationSample.choose(all, most, (_, _, _) -> {});
    }

    @Test
    void whatCannotBeReadIsReplacedByTheNext() throws IOException {
        List<Path> all = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            all.add(picture(i + ".png", 100 + i));
        }
        assertEquals(List.of(all.get(0), all.get(5), all.get(10), all.get(15)), choose(all, 4).pictures());
        Files.writeString(all.get(5), "no picture");
        Files.delete(all.get(6));
        CalibrationSample sample = choose(all, 4);
        assertEquals(List.of(all.get(0), all.get(7), all.get(10), all.get(15)), sample.pictures());
        assertEquals(2, sample.problems().size());
        assertEquals(18, choose(all, 1000).pictures().size());
        assertEquals(List.of(), choose(all, 1000).warnings());
    }

    @Test
    void fewEqualAndBlankPicturesAreWarnedOf() throws IOException {
        List<Path> same = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            same.add(picture(i + ".png", i < 8 ? 200 : 100 + i));
        }
        assertEquals(List.of(), choose(same, 16).warnings());
        same.add(picture("a.png", 200));
        same.add(picture("b.png", 200));
        List<String> warnings = choose(same, 18).warnings();
        assertEquals(1, warnings.size());
        assertTrue(warnings.getFirst().startsWith("9 of 18 pictures look the same"), warnings.toString());
        List<String> blank =
                choose(List.of(picture("c.png", 0), picture("d.png", 2), picture("e.png", 90)), 3).warnings();
        assertEquals(2, blank.size());
        assertTrue(blank.getFirst().startsWith("only 3 pictures to calibrate with"), blank.toString());
        assertTrue(blank.getLast().startsWith("2 of 3 pictures have one colour only"), blank.toString());
    }
}
