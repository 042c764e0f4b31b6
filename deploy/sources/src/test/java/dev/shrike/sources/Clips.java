package dev.shrike.sources;

import dev.shrike.Frame;
import java.nio.file.Path;
import java.util.Optional;

/** Videos of the test pattern. */
public final class Clips {
    private Clips() {}

    /** Writes a clip at 25 frames a second. */
    public static Path write(Path file, int width, int height, int frames) throws InterruptedException {
        String uri = "test://pattern?fps=0&size=" + width + "x" + height + "&frames=" + frames;
        try (FrameSource source = Sources.open(uri); VideoWriter writer = VideoWriter.create(file, width, height)) {
            for (Optional<Frame> next = source.next(); next.isPresent(); next = source.next()) {
                writer.write(next.get(), writer.frames() * 40_000_000L);
            }
        }
        return file;
    }
}
