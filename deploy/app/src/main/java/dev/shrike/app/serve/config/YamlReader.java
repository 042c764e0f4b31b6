package dev.shrike.app.serve.config;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.common.Anchor;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.DocumentStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.MappingEndEvent;
import org.snakeyaml.engine.v2.events.MappingStartEvent;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.events.SequenceEndEvent;
import org.snakeyaml.engine.v2.events.SequenceStartEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * Reads one YAML document within limits. It takes the parser's events, which come one at a time, and builds the tree
 * itself: so depth and size are checked before anything is built, and an alias can only name what is already complete.
 */
final class YamlReader {
    /** Bytes of the largest configuration. */
    static final int MOST_BYTES = 256 << 10;

    /** Deepest nesting; a configuration has 5. */
    static final int MOST_DEPTH = 32;

    /** Nodes of the largest document, what aliases stand for counted each time. */
    static final int MOST_NODES = 20_000;

    private final String origin;
    private final Iterator<Event> events;
    private final Map<String, YamlNode> anchors = new HashMap<>();
    private int nodes;

    private YamlReader(String origin, Iterator<Event> events) {
        this.origin = origin;
        this.events = events;
    }

    /**
     * The document; a mapping without entries if there is none.
     *
     * @param origin name of the file, for errors
     * @throws ConfigException if it is no YAML, or goes beyond a limit; names file, line and column
     */
    static YamlNode read(byte[] bytes, String origin) {
        if (bytes.length > MOST_BYTES) {
            throw new ConfigException(
                    origin + ": " + bytes.length + " bytes are too many for a configuration, the limit"
                            + " is " + MOST_BYTES);
        }
        String text = decode(bytes, origin);
        LoadSettings settings = LoadSettings.builder().setLabel(origin).setUseMarks(true).setParseComments(false)
                .setCodePointLimit(MOST_BYTES).build();
        try {
            return new YamlReader(origin, new Parse(settings).parseString(text).iterator()).document();
        } catch (MarkedYamlEngineException e) {
            String problem = String.valueOf(e.getProblem());
            throw new ConfigException(e.getProblemMark().map(mark -> position(origin, mark).toString()).orElse(origin)
                    + ": is no YAML: " + problem + hint(problem), e);
        } catch (ReaderException e) {
            throw new ConfigException(origin + ": is no YAML: the character U+"
                    + String.format("%04X", e.getCodePoint()) + " at position " + e.getPosition()
                    + " is not allowed", e);
        } catch (YamlEngineException e) {
            throw new ConfigException(origin + ": is no YAML: " + e.getMessage(), e);
        }
    }

    private static String hint(String problem) {
        return problem.contains("'\\t") || problem.contains("TAB") ? " (indent with blanks, not tabs)" : "";
    }

    private static String decode(byte[] bytes, String origin) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        try {
            String text = StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT).decode(buffer).toString();
            return text.startsWith("\ufeff") ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            int line = 1;
            for (int i = 0; i < buffer.position(); i++) {
                line += bytes[i] == '\n' ? 1 : 0;
            }
            throw new ConfigException(origin + ":" + line + ": is no text in UTF-8: save it as UTF-8", e);
        }
    }

    private YamlNode document() {
        YamlNode root = new YamlNode.Mapping(Map.of(), 1, new Position(origin, 1, 1));
        int documents = 0;
        while (events.hasNext()) {
            Event event = events.next();
            if (event instanceof DocumentStartEvent) {
                if (++documents > 1) {
                    throw failure(at(event), "a second document begins here; a configuration is one");
                }
            } else if (event instanceof NodeEvent) {
                root = node(event, 1);
            }
        }
        return root instanceof YamlNode.Scalar scalar && scalar.isNothing()
                ? new YamlNode.Mapping(Map.of(), 1, scalar.at()) : root;
    }

    private YamlNode node(Event event, int depth) {
        if (depth > MOST_DEPTH) {
            throw failure(at(event), "is nested more than " + MOST_DEPTH + " levels deep");
        }
        YamlNode node = switch (event) {
            case ScalarEvent scalar -> {
                grow(1, event);
                yield new YamlNode.Scalar(scalar.getValue(), scalar.isPlain(), at(event));
            }
            case SequenceStartEvent _ -> sequence(event, depth);
            case MappingStartEvent _ -> mapping(event, depth);
            case AliasEvent alias -> alias(alias);
            default -> throw failure(at(event), "is no YAML that a configuration has");
        };
        if (!(event instanceof AliasEvent)) {
            anchor(event).ifPresent(name -> anchors.put(name, node));
        }
        return node;
    }

    private static Optional<String> anchor(Event event) {
        return event instanceof NodeEvent node ? node.getAnchor().map(Anchor::getValue) : Optional.empty();
    }

    private YamlNode alias(AliasEvent alias) {
        String name = alias.getAlias().getValue();
        YamlNode meant = anchors.get(name);
        if (meant == null) {
            throw failure(at(alias), "the alias *" + name + " has no complete anchor &" + name + " before it");
        }
        grow(meant.nodes(), alias);
        return meant;
    }

    private YamlNode sequence(Event start, int depth) {
        int before = nodes;
        grow(1, start);
        List<YamlNode> items = new ArrayList<>();
        for (Event event = next(); !(event instanceof SequenceEndEvent); event = next()) {
            items.add(node(event, depth + 1));
        }
        return new YamlNode.Sequence(items, nodes - before, at(start));
    }

    private YamlNode mapping(Event start, int depth) {
        int before = nodes;
        grow(1, start);
        Map<String, YamlNode.Entry> entries = new LinkedHashMap<>();
        for (Event event = next(); !(event instanceof MappingEndEvent); event = next()) {
            if (!(node(event, depth + 1) instanceof YamlNode.Scalar key)) {
                throw failure(at(event), "a list or mapping cannot be a key here"
                        + (start instanceof MappingStartEvent ? "; a text that begins with { needs quotes" : ""));
            }
            YamlNode value = node(next(), depth + 1);
            YamlNode.Entry earlier = entries.putIfAbsent(key.text(), new YamlNode.Entry(value, key.at()));
            if (earlier != null) {
                throw failure(key.at(), "'" + key.text() + "' is there twice, first in line " + earlier.at().line());
            }
        }
        return new YamlNode.Mapping(entries, nodes - before, at(start));
    }

    private Event next() {
        return events.next();
    }

    private void grow(int count, Event event) {
        nodes += count;
        if (nodes > MOST_NODES) {
            throw failure(at(event), "the configuration has more than " + MOST_NODES + " parts");
        }
    }

    private Position at(Event event) {
        return event.getStartMark().map(mark -> position(origin, mark)).orElse(Position.of(origin));
    }

    private static Position position(String origin, Mark mark) {
        return new Position(origin, mark.getLine() + 1, mark.getColumn() + 1);
    }

    private static ConfigException failure(Position at, String message) {
        return new ConfigException(at + ": " + message);
    }
}
