package dev.shrike.calibration.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/**
 * Reads a JSON file, plain or gzipped, value by value, so that a large one needs no memory for what is skipped. Errors
 * name the file and the place, {@code annotations[12].bbox}.
 */
final class JsonStream implements AutoCloseable {
    /** What to do with one value; it must consume it whole. */
    @FunctionalInterface
    interface Visitor {
        void visit() throws IOException;
    }

    /** What to do with the value of one field; it must consume it whole. */
    @FunctionalInterface
    interface FieldVisitor {
        void visit(String field) throws IOException;
    }

    /** Something that reads from the stream. */
    @FunctionalInterface
    interface Reader<T> {
        T read(JsonStream json) throws IOException;
    }

    private static final JsonFactory JSON = new JsonFactory();
    private static final int GZIP = 0x1f8b;

    private final Path file;
    private final JsonParser parser;

    private JsonStream(Path file, InputStream bytes) throws IOException {
        this.file = file;
        this.parser = JSON.createParser(bytes);
    }

    /**
     * What the reader makes of the file, which must be one JSON value from its first byte to its last.
     *
     * @throws DataSetException if the file is missing, cannot be read or is not what the reader expects
     */
    static <T> T read(Path file, Reader<T> reader) {
        if (Files.isDirectory(file)) {
            throw new DataSetException(file + ": is a folder, not a JSON file");
        }
        try (InputStream bytes = open(file); JsonStream json = new JsonStream(file, bytes)) {
            if (json.parser.nextToken() == null) {
                throw new DataSetException(file + ": is empty");
            }
            T result = reader.read(json);
            if (json.parser.nextToken() != null) {
                throw json.broken("has more after its end");
            }
            return result;
        } catch (JsonProcessingException e) {
            String where = e.getLocation() == null
                    ? ""
                    : " at line " + e.getLocation().getLineNr() + ", column " + e.getLocation().getColumnNr();
            throw new DataSetException(file + ": no valid JSON" + where + ": " + e.getOriginalMessage(), e);
        } catch (NoSuchFileException e) {
            throw new DataSetException(file + ": no such file", e);
        } catch (IOException e) {
            throw new DataSetException(file + ": cannot be read: " + e, e);
        }
    }

    private static InputStream open(Path file) throws IOException {
        BufferedInputStream bytes = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
        bytes.mark(2);
        int magic = bytes.read() << 8 | bytes.read();
        bytes.reset();
        return magic == GZIP ? new GZIPInputStream(bytes, 1 << 16) : bytes;
    }

    /** Whether the value at hand is an object. */
    boolean isObject() {
        return parser.currentToken() == JsonToken.START_OBJECT;
    }

    /** Whether the value at hand is an array. */
    boolean isArray() {
        return parser.currentToken() == JsonToken.START_ARRAY;
    }

    /** Visits each field of the object at hand; the visitor stands on the value. */
    void fields(FieldVisitor visitor) throws IOException {
        if (!isObject()) {
            throw broken("is " + found() + ", not an object");
        }
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String field = parser.currentName();
            parser.nextToken();
            visitor.visit(field);
        }
    }

    /** Visits each element of the array at hand; the visitor stands on it. */
    void elements(Visitor visitor) throws IOException {
        if (!isArray()) {
            throw broken("is " + found() + ", not an array");
        }
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            visitor.visit();
        }
    }

    /** Passes over the value at hand. */
    void skip() throws IOException {
        parser.skipChildren();
    }

    /** An object, or what is nested too deeply to be of use. */
    record Other() {}

    private static final int MOST_ELEMENTS = 64;

    /**
     * The value at hand, whatever it is: a number, a text, a truth, null, a list of such, or {@link Other}. Of a list
     * only the beginning is kept.
     */
    Object value() throws IOException {
        return value(true);
    }

    private Object value(boolean lists) throws IOException {
        return switch (parser.currentToken()) {
            case VALUE_STRING -> parser.getText();
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> parser.getNumberValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NULL -> null;
            case START_ARRAY -> {
                if (!lists) {
                    skip();
                    yield new Other();
                }
                List<Object> list = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    Object element = value(false);
                    if (list.size() < MOST_ELEMENTS) {
                        list.add(element);
                    }
                }
                yield list;
            }
            case null, default -> {
                skip();
                yield new Other();
            }
        };
    }

    /** The finite number at hand. */
    double number() throws IOException {
        if (parser.currentToken() == null || !parser.currentToken().isNumeric()) {
            throw broken("is " + found() + ", not a number");
        }
        double value = parser.getDoubleValue();
        if (!Double.isFinite(value)) {
            throw broken("is too large a number");
        }
        return value;
    }

    /** The whole number at hand. */
    int integer() throws IOException {
        double value = number();
        if (value != Math.rint(value) || Math.abs(value) > Integer.MAX_VALUE) {
            throw broken("is " + parser.getText() + ", not a whole number");
        }
        return (int) value;
    }

    /** The text at hand. */
    String text() throws IOException {
        if (parser.currentToken() != JsonToken.VALUE_STRING) {
            throw broken("is " + found() + ", not a text");
        }
        return parser.getText();
    }

    /** The id of an image at hand: a whole number, in its shortest form, or a text. */
    String id() throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_STRING) {
            return parser.getText();
        }
        if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
            throw broken("is " + found() + ", not an id");
        }
        return parser.getText();
    }

    /** Whether the flag at hand is set: 0, 1, false or true. */
    boolean flag() throws IOException {
        return switch (parser.currentToken()) {
            case VALUE_TRUE -> true;
            case VALUE_FALSE, VALUE_NULL -> false;
            default -> number() != 0;
        };
    }

    /** Fills the array with the numbers at hand. */
    void numbers(double[] values) throws IOException {
        int[] count = {0};
        elements(() -> {
            if (count[0] == values.length) {
                throw broken("is one number more than the " + values.length + " expected");
            }
            values[count[0]] = number();
            count[0]++;
        });
        if (count[0] != values.length) {
            throw broken("has " + count[0] + " numbers, not " + values.length);
        }
    }

    /** An error about the value at hand. */
    DataSetException broken(String what) {
        String place = parser.getParsingContext().pathAsPointer().toString()
                .replaceAll("/(\\d+)(?=/|$)", "[$1]").replaceFirst("^/", "").replace('/', '.');
        return new DataSetException(file + ": " + (place.isEmpty() ? "the whole" : place) + " " + what);
    }

    /** An error about a part of the object that was just read. */
    DataSetException broken(String place, String what) {
        return new DataSetException(file + ": " + place + " " + what);
    }

    private String found() throws IOException {
        JsonToken token = parser.currentToken();
        if (token == null) {
            return "cut off";
        }
        return switch (token) {
            case START_OBJECT -> "an object";
            case START_ARRAY -> "an array";
            case VALUE_NULL -> "null";
            case VALUE_STRING -> "the text '" + shortened(parser.getText()) + "'";
            default -> shortened(parser.getText());
        };
    }

    private static String shortened(String text) {
        return text.length() <= 40 ? text : text.substring(0, 40) + "…";
    }

    @Override
    public void close() throws IOException {
        parser.close();
    }
}
