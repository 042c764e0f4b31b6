package dev.shrike.app.detect;

import dev.shrike.Frame;
import dev.shrike.sources.FrameSource;
import dev.shrike.sources.SourceState;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Every so many frames of another source, the last of each group, as YOLOv5's {@code --vid-stride} has it.
 *
 * @param source is closed with this
 * @param stride 1 for all
 */
record StridedSource(FrameSource source, int stride) implements FrameSource {
    @Override
    public Optional<Frame> next() throws InterruptedException {
        for (int i = 1; i < stride; i++) {
            if (source.next().isEmpty()) {
                return Optional.empty();
            }
        }
        return source.next();
    }

    @Override
    public boolean retain(Frame frame) {
        return source.retain(frame);
    }

    @Override
    public void release(Frame frame) {
        source.release(frame);
    }

    @Override
    public boolean live() {
        return source.live();
    }

    @Override
    public String name() {
        return source.name();
    }

    @Override
    public SourceState state() {
        return source.state();
    }

    @Override
    public void listen(Consumer<SourceState> listener) {
        source.listen(listener);
    }

    @Override
    public void close() {
        source.close();
    }
}
