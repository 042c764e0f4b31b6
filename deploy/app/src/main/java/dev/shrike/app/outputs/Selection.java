package dev.shrike.app.outputs;

/**
 * Which messages an output wants.
 *
 * @param frames what was seen in each frame, many a second
 * @param events what happened to tracks
 * @param sources how cameras do
 */
public record Selection(boolean frames, boolean events, boolean sources) {
    /** Everything. */
    public static final Selection ALL = new Selection(true, true, true);

    /** Everything but frames. */
    public static final Selection EVENTS = new Selection(false, true, true);

    boolean takes(Message message) {
        return switch (message) {
            case Message.FrameResult frame -> frames;
            case Message.Tracked tracked -> events;
            case Message.SourceChanged changed -> sources;
        };
    }
}
