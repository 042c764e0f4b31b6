package dev.shrike.sources;

import dev.shrike.Frame;
import dev.shrike.SourceException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Image files, one after another. One that cannot be read is left out, and the state tells; not so if none can. */
final class FolderSource extends OpenSource {
    private final List<Path> files;
    private final SourceOptions options;
    private final Pace pace;
    private int next;
    private long number;
    private boolean anyRead;

    FolderSource(String name, List<Path> files, SourceOptions options) {
        super(name);
        this.files = List.copyOf(files);
        this.options = options;
        pace = new Pace(options.rate());
    }

    @Override
    Optional<Frame> grab() throws InterruptedException {
        pause(pace.untilNext(System.nanoTime()));
        while (!isClosed()) {
            if (next == files.size()) {
                if (!options.loop()) {
                    return Optional.empty();
                }
                next = 0;
            }
            Path file = files.get(next++);
            try {
                Frame read = Frame.read(file);
                Frame frame = new Frame(read.format(), read.width(), read.height(), read.stride(), read.pixels(),
                        options.camera());
                frame.stamp(System.nanoTime(), Instant.now(), false, number++);
                anyRead = true;
                return Optional.of(frame);
            } catch (SourceException e) {
                if (!anyRead && next == files.size()) {
                    throw e;
                }
                lose(e.getMessage());
            }
        }
        return Optional.empty();
    }

    /** Each image has memory of its own, which the garbage collector frees. */
    @Override
    public boolean retain(Frame frame) {
        return true;
    }

    @Override
    public void release(Frame frame) {
        // The garbage collector does.
    }

    @Override
    public boolean live() {
        return false;
    }

    @Override
    void free() {
        // Nothing is open between two images.
    }
}
