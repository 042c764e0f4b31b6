package dev.shrike.app.bench.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.exc.StreamReadException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.cfg.EnumFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.shrike.ShrikeException;
import dev.shrike.files.PrintableText;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;

/** Reports as JSON, as {@code docs/bench.schema.json} says. */
public final class BenchJson {
    private static final long LARGEST = 1L << 29;
    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
            .enable(EnumFeature.WRITE_ENUMS_TO_LOWERCASE)
            // Fields that a later version adds are no harm; those that are missing are.
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .serializationInclusion(JsonInclude.Include.NON_NULL)
            .build();

    private BenchJson() {}

    /** The report as one line of JSON. */
    public static String text(BenchReport report) {
        try {
            return PrintableText.inJson(MAPPER.writeValueAsString(report));
        } catch (JacksonException e) {
            throw new UncheckedIOException("a report of numbers and texts cannot fail", e);
        }
    }

    /**
     * The report in a file.
     *
     * @throws ShrikeException if it cannot be read or is no such report; names the file and the way out
     */
    public static BenchReport read(Path file) {
        try {
            if (!Files.isRegularFile(file)) {
                throw new ShrikeException(file + ": is no file; give what 'shrike bench --json FILE' wrote");
            }
            if (Files.size(file) > LARGEST) {
                throw new ShrikeException(file + ": has more than " + LARGEST + " bytes, which no report has");
            }
            BenchReport report = MAPPER.readValue(Files.readString(file, StandardCharsets.UTF_8), BenchReport.class);
            if (report == null) {
                throw new ShrikeException(file + ": is no report of 'shrike bench --json': it is null");
            }
            return report;
        } catch (JacksonException e) {
            throw new ShrikeException(file + ": is no report of 'shrike bench --json': " + reason(e), e);
        } catch (IOException e) {
            throw new ShrikeException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /**
     * The field that is wrong, or the place where it is no JSON; what only a reader of the parser's source knows is
     * left out.
     */
    private static String reason(JacksonException e) {
        String at = e.getLocation() == null ? "" : " (line " + e.getLocation().getLineNr() + ", column "
                + e.getLocation().getColumnNr() + ")";
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (!(e instanceof JsonMappingException mapping) || cause instanceof StreamReadException) {
            return "it is no JSON or ends too early" + at;
        }
        if (cause instanceof IllegalArgumentException) {
            return String.valueOf(cause.getMessage());
        }
        String field = mapping.getPath().stream()
                .map(part -> part.getFieldName() == null ? String.valueOf(part.getIndex()) : part.getFieldName())
                .collect(Collectors.joining("."));
        if (cause instanceof NullPointerException) {
            boolean named = String.valueOf(cause.getMessage()).matches("[A-Za-z_]{1,40}");
            return "it lacks " + (named ? "the field '" + cause.getMessage() + "'" : "a field")
                    + (field.isEmpty() ? "" : " of '" + field + "'");
        }
        return field.isEmpty() ? "it is not an object with its fields" + at
                : "its field '" + field + "' is missing or of another kind" + at;
    }
}
