package dev.shrike.app.page;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.shrike.Detection;
import dev.shrike.files.PrintableText;
import dev.shrike.sources.FrameSource;
import dev.shrike.sources.SourceState;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;

/** What is alike in the JSON of every {@link PageModel#state}. */
public final class PageState {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_OBJECTS = 20;

    private PageState() {}

    /** A state in which nothing is yet. */
    public static ObjectNode create() {
        return JSON.createObjectNode();
    }

    /**
     * Says how a source does.
     *
     * @param clean takes secrets out of texts
     * @return what was said
     */
    public static SourceState source(ObjectNode node, FrameSource source, UnaryOperator<String> clean) {
        SourceState state = source.state();
        node.put("source", clean.apply(source.name())).put("phase", state.phase().name().toLowerCase(Locale.ROOT))
                .put("reason", clean.apply(state.reason())).put("frames", state.frames())
                .put("reconnects", state.reconnects()).put("damaged", source.damaged());
        return state;
    }

    /** Lists the first objects, with their scores. */
    public static void objects(ObjectNode node, List<Detection> objects) {
        ArrayNode list = node.putArray("objects");
        for (Detection one : objects.subList(0, Math.min(MOST_OBJECTS, objects.size()))) {
            list.addObject().put("label", one.label()).put("score", rounded(one.score()));
        }
    }

    /** The number with two digits. */
    public static double rounded(double value) {
        return Math.round(value * 100) / 100.0;
    }

    /** The state as text that can be shown anywhere. */
    public static String text(ObjectNode state) {
        try {
            return PrintableText.inJson(JSON.writeValueAsString(state));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
