package dev.shrike.sources;

import dev.shrike.Frame;
import java.util.function.Consumer;

/** Another source whose frames are changed or chosen on their way; all that is not about frames is its own. */
public abstract class ForwardingSource implements FrameSource {
    private final FrameSource source;

    /** @param source is closed with this */
    protected ForwardingSource(FrameSource source) {
        this.source = source;
    }

    /** Returns the source behind this one. */
    protected final FrameSource source() {
        return source;
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
    public long damaged() {
        return source.damaged();
    }

    @Override
    public long missing() {
        return source.missing();
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
