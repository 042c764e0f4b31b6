package dev.shrike.calibration.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.shrike.SourceException;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.quantize.SmallNetwork;
import dev.shrike.graph.ValueInfo;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WindowReaderTest {
    private static final ValueInfo INPUT = SmallNetwork.graph(1).inputs().getFirst();

    @Test
    void oddSeedsGiveMirrorImages(@TempDir Path folder) {
        try (CalibrationImages images = new CalibrationImages(SmallNetwork.images(folder, 2), INPUT, 0);
                WindowReader reader = new WindowReader(images)) {
            List<float[]> windows = WindowReader.await(reader.read(
                    List.of(new WindowReader.Choice(1, 4), new WindowReader.Choice(1, 5))));
            float[] plain = new float[windows.getFirst().length];
            images.read(1, plain);
            assertArrayEquals(plain, windows.getFirst());
            int side = (int) images.shape().dim(3);
            for (int i = 0; i < plain.length; i++) {
                int x = i / 3 % side;
                assertEquals(plain[i], windows.getLast()[i + 3 * (side - 1 - 2 * x)]);
            }
        }
    }

    @Test
    void aMissingImageIsToldWhereItIsAwaited(@TempDir Path folder) {
        Path missing = folder.resolve("missing.jpg");
        try (CalibrationImages images = new CalibrationImages(List.of(missing), INPUT, 0);
                WindowReader reader = new WindowReader(images)) {
            var running = reader.read(List.of(new WindowReader.Choice(0, 1)));
            assertThrows(SourceException.class, () -> WindowReader.await(running));
        }
    }
}
