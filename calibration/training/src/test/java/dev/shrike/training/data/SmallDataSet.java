package dev.shrike.training.data;

import dev.shrike.Frame;
import dev.shrike.vision.Images;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** Images of a bright square on noise, with labels as YOLO has them. */
public final class SmallDataSet {
    private SmallDataSet() {}

    /** Writes so many images of two classes; its {@code data.yaml}. */
    public static Path write(Path folder, int count, int side) {
        try {
            Files.createDirectories(folder.resolve("images"));
            Files.createDirectories(folder.resolve("labels"));
            for (int i = 0; i < count; i++) {
                image(folder, i, side);
            }
            Path yaml = folder.resolve("data.yaml");
            Files.writeString(yaml, "path: .\ntrain: images\nval: images\nnames: [square, bar]\n");
            return yaml;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void image(Path folder, int index, int side) throws IOException {
        Random random = new Random(index);
        int classId = index % 2;
        int width = side / 4 + random.nextInt(side / 4);
        int height = classId == 0 ? width : width / 2;
        int left = random.nextInt(side - width);
        int top = random.nextInt(side - height);
        Frame frame = Frame.allocate(side + 8 * (index % 3), side);
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < frame.width(); x++) {
                boolean inside = x >= left && x < left + width && y >= top && y < top + height;
                for (int c = 0; c < 3; c++) {
                    frame.pixels().set(ValueLayout.JAVA_BYTE, 3L * (y * frame.width() + x) + c,
                            (byte) (inside ? 200 + 10 * c : 40 + random.nextInt(60)));
                }
            }
        }
        Images.write(frame, folder.resolve("images/image" + index + ".png"));
        Files.writeString(folder.resolve("labels/image" + index + ".txt"), classId + " "
                + (left + width / 2.0) / frame.width() + " " + (top + height / 2.0) / side + " "
                + (double) width / frame.width() + " " + (double) height / side + "\n");
    }
}
