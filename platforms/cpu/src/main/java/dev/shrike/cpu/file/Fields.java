package dev.shrike.cpu.file;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.shrike.ModelException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A JSON object whose fields are read by type; whatever is missing or of another type is a {@link ModelException} that
 * names the field and the way to it.
 *
 * @param parent the object that it is in, or null
 * @param name how messages call it within its parent
 * @param values its fields
 */
public record Fields(Fields parent, String name, Map<String, Object> values) {
    private static final Set<String> NO_NUMBERS = Set.of("NaN", "Infinity", "-Infinity");
    private static final int DEEPEST = 16;
    private static final int LARGEST = 1 << 28;
    /** No mapper: the tree is small and plain, and binding by reflection would double the time to load a model. */
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(DEEPEST)
                    .maxStringLength(LARGEST)
                    .maxNameLength(1 << 20)
                    .build())
            .build();

    /** The object that these bytes of JSON hold. */
    public static Fields parse(MemorySegment bytes, String where) {
        if (bytes.byteSize() > LARGEST) {
            throw new ModelException("the " + where + " has " + bytes.byteSize() + " bytes, more than " + LARGEST);
        }
        try (JsonParser parser = JSON.createParser(bytes.toArray(ValueLayout.JAVA_BYTE))) {
            parser.nextToken();
            Object value = value(parser);
            if (parser.nextToken() != null) {
                throw new ModelException("the " + where + " goes on after its end");
            }
            return of(null, where, value);
        } catch (IOException e) {
            throw new ModelException("the " + where + " is no JSON: " + e.getMessage().lines().findFirst().orElse(""),
                    e);
        }
    }

    private static Object value(JsonParser parser) throws IOException {
        JsonToken token = parser.currentToken();
        if (token == null) {
            throw new ModelException("there is no JSON in it");
        }
        return switch (token) {
            case START_OBJECT -> {
                Map<String, Object> object = new LinkedHashMap<>();
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String name = parser.currentName();
                    parser.nextToken();
                    object.put(name, value(parser));
                }
                yield new JsonObject(object);
            }
            case START_ARRAY -> {
                List<Object> array = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    array.add(value(parser));
                }
                yield array;
            }
            case VALUE_NUMBER_INT -> parser.getLongValue();
            case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
            case VALUE_STRING -> parser.getText();
            case VALUE_TRUE -> Boolean.TRUE;
            case VALUE_FALSE -> Boolean.FALSE;
            case VALUE_NULL, VALUE_EMBEDDED_OBJECT, FIELD_NAME, END_ARRAY, END_OBJECT, NOT_AVAILABLE ->
                throw new ModelException("unexpected " + token + " at byte " + parser.currentLocation().getByteOffset()
                        + " of the JSON");
        };
    }

    /** A tree of maps, lists, strings, numbers and booleans as JSON; unordered maps are written by key. */
    public static byte[] toBytes(Map<String, ?> tree) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator generator = JSON.createGenerator(bytes, JsonEncoding.UTF8)) {
            write(tree, generator);
        } catch (IOException e) {
            throw new UncheckedIOException("memory cannot fail", e);
        }
        return bytes.toByteArray();
    }

    private static void write(Object value, JsonGenerator generator) throws IOException {
        switch (value) {
            case Map<?, ?> map -> {
                generator.writeStartObject();
                Map<?, ?> ordered = map instanceof LinkedHashMap<?, ?> ? map : new TreeMap<>(map);
                for (Map.Entry<?, ?> entry : ordered.entrySet()) {
                    generator.writeFieldName((String) entry.getKey());
                    write(entry.getValue(), generator);
                }
                generator.writeEndObject();
            }
            case List<?> list -> {
                generator.writeStartArray();
                for (Object element : list) {
                    write(element, generator);
                }
                generator.writeEndArray();
            }
            case String text -> generator.writeString(text);
            case Integer number -> generator.writeNumber(number);
            case Long number -> generator.writeNumber(number);
            // A float as the double that it is: reading and rounding give the same bits.
            case Float number when Float.isFinite(number) -> generator.writeNumber((double) number);
            case Float number -> generator.writeString(number.toString());
            case Boolean flag -> generator.writeBoolean(flag);
            case Enum<?> constant -> generator.writeString(constant.name());
            default -> throw new IllegalArgumentException("no JSON for " + value.getClass());
        }
    }

    boolean has(String name) {
        return values.containsKey(name);
    }

    public String text(String name) {
        return get(name, String.class, "a text");
    }

    boolean flag(String name) {
        return get(name, Boolean.class, "true or false");
    }

    public long number(String name) {
        return get(name, Long.class, "a whole number");
    }

    public int integer(String name) {
        long number = number(name);
        if (number != (int) number) {
            throw new ModelException(where() + ": '" + name + "' is " + number + ", which does not fit 32 bits");
        }
        return (int) number;
    }

    /** A float; those that JSON has no number for are texts. */
    public float real(String name) {
        Object value = values.get(name);
        if (value instanceof Number number) {
            return number.floatValue();
        }
        if (!(value instanceof String text) || !NO_NUMBERS.contains(text)) {
            throw wrong(name, "a number");
        }
        return Float.parseFloat(text);
    }

    public <E extends Enum<E>> E choice(String name, Class<E> type) {
        String text = text(name);
        for (E constant : type.getEnumConstants()) {
            if (constant.name().equals(text)) {
                return constant;
            }
        }
        throw new ModelException(where() + ": '" + name + "' is '" + text + "', which is no " + type.getSimpleName());
    }

    public Fields object(String name) {
        return new Fields(this, name, get(name, JsonObject.class, "an object").fields());
    }

    /** The objects in an array. */
    List<Fields> objects(String name) {
        List<Fields> objects = new ArrayList<>();
        for (Object element : list(name)) {
            objects.add(of(this, name, element));
        }
        return objects;
    }

    public List<String> texts(String name) {
        return elements(name, String.class, "a list of texts");
    }

    List<Long> numbers(String name) {
        return elements(name, Long.class, "a list of whole numbers");
    }

    /** All fields, each of which is a text. */
    public Map<String, String> allTexts() {
        Map<String, String> texts = new LinkedHashMap<>();
        values.keySet().forEach(name -> texts.put(name, text(name)));
        return texts;
    }

    private <T> List<T> elements(String name, Class<T> type, String what) {
        List<T> elements = new ArrayList<>();
        for (Object element : list(name)) {
            if (!type.isInstance(element)) {
                throw wrong(name, what);
            }
            elements.add(type.cast(element));
        }
        return elements;
    }

    private List<?> list(String name) {
        return get(name, List.class, "a list");
    }

    private <T> T get(String name, Class<T> type, String what) {
        Object value = values.get(name);
        if (!type.isInstance(value)) {
            throw wrong(name, what);
        }
        return type.cast(value);
    }

    private ModelException wrong(String name, String what) {
        return new ModelException(
                where() + ": '" + name + "' is " + (has(name) ? "not " + what : "missing, expected " + what));
    }

    /** How messages call the object: the way to it from the outermost one. */
    String where() {
        String own = values.get("name") instanceof String given ? name + " '" + given + "'" : name;
        return parent == null ? name : parent.where() + ", " + own;
    }

    private static Fields of(Fields parent, String name, Object value) {
        if (!(value instanceof JsonObject object)) {
            String what = parent == null ? "the " + name : parent.where() + ": an element of '" + name + "'";
            throw new ModelException(what + " is no object");
        }
        return new Fields(parent, name, object.fields());
    }

    /** An object of a tree that was read. */
    private record JsonObject(Map<String, Object> fields) {}
}
