package dev.shrike.app;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Checks JSON against the keywords of JSON Schema 2020-12 that our schema uses. A keyword that it does not know is an
 * error, so that no rule of the schema goes unchecked. Fields that the schema does not list are errors too: what the
 * command prints must be documented.
 */
public final class JsonSchema {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final JsonNode schema;

    private JsonSchema(JsonNode schema) {
        this.schema = schema;
    }

    /** The schema in the file. */
    public static JsonSchema read(Path file) throws IOException {
        return new JsonSchema(JSON.readTree(Files.readString(file)));
    }

    /** What is wrong with the JSON text; empty if nothing is. */
    public List<String> violations(String text) throws IOException {
        List<String> found = new ArrayList<>();
        check(schema, JSON.readTree(text), "$", found);
        return found;
    }

    private void check(JsonNode rules, JsonNode value, String at, List<String> found) {
        for (Map.Entry<String, JsonNode> rule : rules.properties()) {
            JsonNode wanted = rule.getValue();
            switch (rule.getKey()) {
                case "$schema", "title", "description", "$defs" -> {
                    // says nothing about values
                }
                case "$ref" -> check(schema.at(wanted.asText().substring(1)), value, at, found);
                case "type" -> expect(isType(value, wanted.asText()), at + " is no " + wanted.asText(), found);
                case "enum" -> expect(contains(wanted, value), at + " is none of " + wanted, found);
                case "oneOf" -> oneOf(wanted, value, at, found);
                case "const" -> expect(value.equals(wanted), at + " is not " + wanted, found);
                case "minimum" -> expect(value.asDouble() >= wanted.asDouble(), at + " < " + wanted, found);
                case "maximum" -> expect(value.asDouble() <= wanted.asDouble(), at + " > " + wanted, found);
                case "minLength" -> expect(value.asText().length() >= wanted.asInt(), at + " is too short", found);
                case "minItems" -> expect(value.size() >= wanted.asInt(), at + " has too few items", found);
                case "maxItems" -> expect(value.size() <= wanted.asInt(), at + " has too many items", found);
                case "required" -> wanted.forEach(
                        name -> expect(value.has(name.asText()), at + " lacks " + name, found));
                case "properties" -> properties(wanted, value, at, found);
                case "items" -> {
                    for (int i = 0; i < value.size(); i++) {
                        check(wanted, value.get(i), at + "[" + i + "]", found);
                    }
                }
                default -> throw new IllegalArgumentException("unknown keyword " + rule.getKey() + " at " + at);
            }
        }
    }

    private void properties(JsonNode wanted, JsonNode value, String at, List<String> found) {
        for (Map.Entry<String, JsonNode> field : value.properties()) {
            JsonNode rules = wanted.get(field.getKey());
            if (rules == null) {
                found.add(at + "." + field.getKey() + " is not in the schema");
            } else {
                check(rules, field.getValue(), at + "." + field.getKey(), found);
            }
        }
    }

    private static boolean contains(JsonNode values, JsonNode value) {
        for (JsonNode one : values) {
            if (one.equals(value)) {
                return true;
            }
        }
        return false;
    }

    private void oneOf(JsonNode alternatives, JsonNode value, String at, List<String> found) {
        List<List<String>> tried = new ArrayList<>();
        for (JsonNode alternative : alternatives) {
            List<String> violations = new ArrayList<>();
            check(alternative, value, at, violations);
            tried.add(violations);
        }
        long fitting = tried.stream().filter(List::isEmpty).count();
        expect(fitting == 1, at + " fits " + fitting + " of the alternatives: " + tried, found);
    }

    private static boolean isType(JsonNode value, String type) {
        return switch (type) {
            case "object" -> value.isObject();
            case "array" -> value.isArray();
            case "string" -> value.isTextual();
            case "boolean" -> value.isBoolean();
            case "null" -> value.isNull();
            case "number" -> value.isNumber();
            case "integer" -> value.isIntegralNumber();
            default -> throw new IllegalArgumentException("unknown type " + type);
        };
    }

    private static void expect(boolean holds, String otherwise, List<String> found) {
        if (!holds) {
            found.add(otherwise);
        }
    }
}
