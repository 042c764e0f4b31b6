package dev.shrike.app.compress;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.EnumFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.shrike.ShrikeException;
import dev.shrike.files.FileReplacement;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * The plan file: what was asked for, and each step with the very command that does it and how far it is.
 *
 * @param schema version of the form
 * @param request what was asked for, as text; another request is another plan
 * @param steps the steps in their order
 */
record CompressPlan(int schema, List<String> request, List<Step> steps) {
    /** 2: float network and variant in one bench, trials quantised like the last network. */
    static final int SCHEMA = 2;
    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
            .enable(EnumFeature.WRITE_ENUMS_TO_LOWERCASE)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .serializationInclusion(JsonInclude.Include.NON_NULL)
            .build();

    /** How far a step is. */
    enum State {
        /** Not yet begun, or not ended. */
        PENDING,
        /** Done; its output is there. */
        DONE,
        /** Not needed, or not possible; the reason says which. */
        SKIPPED
    }

    /**
     * A step.
     *
     * @param name of it
     * @param state how far it is
     * @param command arguments of {@code shrike} that do it, run where the plan was begun; null before they are known
     * @param output file that it leaves in the folder; what a command prints, if the command writes none itself
     * @param reason why it was skipped, or null
     * @param seconds that it took, or null
     */
    record Step(String name, State state, List<String> command, String output, String reason, Double seconds) {
        Step {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(state, "state");
            Objects.requireNonNull(output, "output");
            command = command == null ? null : List.copyOf(command);
        }

        static Step pending(String name, String output) {
            return new Step(name, State.PENDING, null, output, null, null);
        }

        Step with(List<String> arguments) {
            return new Step(name, State.PENDING, arguments, output, null, null);
        }

        Step done(double time) {
            return new Step(name, State.DONE, command, output, null, time);
        }

        Step skipped(String why) {
            return new Step(name, State.SKIPPED, null, output, why, null);
        }
    }

    CompressPlan {
        if (schema != SCHEMA) {
            throw new IllegalArgumentException("it is of version " + schema + ", this Shrike reads version " + SCHEMA);
        }
        request = List.copyOf(request);
        steps = List.copyOf(steps);
    }

    /** The plan in a file. */
    static CompressPlan read(Path file) {
        try {
            JsonNode tree = MAPPER.readTree(Files.readString(file));
            JsonNode schema = tree.path("schema");
            if (schema.isInt() && schema.intValue() != SCHEMA) {
                throw new ShrikeException(file + ": is a plan of another version of Shrike (form " + schema
                        + ", this one goes on with form " + SCHEMA + "); name another folder with -o, what is in this"
                        + " one stays as it is");
            }
            CompressPlan plan = MAPPER.treeToValue(tree, CompressPlan.class);
            if (plan == null) {
                throw new ShrikeException(
                        file + ": is no plan of 'shrike compress'; remove it, or name another folder");
            }
            return plan;
        } catch (JacksonException e) {
            throw new ShrikeException(file + ": is no plan of 'shrike compress' ("
                    + e.getOriginalMessage().lines().findFirst().orElse("") + "); remove it, or name another folder",
                    e);
        } catch (IOException e) {
            throw new ShrikeException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** Writes it so that whoever stops this sees it as it was or as it is. */
    void write(Path file) {
        byte[] text;
        try {
            text = (MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(this) + "\n")
                    .getBytes(StandardCharsets.UTF_8);
        } catch (JacksonException e) {
            throw new UncheckedIOException("a plan of texts cannot fail", e);
        }
        FileReplacement.write(file, stream -> stream.write(text));
    }

    /** The step of that name. */
    Step step(String name) {
        return steps.stream().filter(step -> step.name().equals(name)).findFirst()
                .orElseThrow(() -> new ShrikeException("the plan has no step '" + name + "': remove its folder"));
    }

    /** The plan with a step in place of the one of its name. */
    CompressPlan with(Step changed) {
        return new CompressPlan(schema, request,
                steps.stream().map(step -> step.name().equals(changed.name()) ? changed : step).toList());
    }
}
