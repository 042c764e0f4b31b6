package dev.shrike.app.serve.config;

import dev.shrike.ShrikeException;
import java.util.List;

/** A configuration that cannot be used; each problem names file, line and column. */
public final class ConfigException extends ShrikeException {
    private static final long serialVersionUID = 1L;

    private final transient List<String> problems;

    ConfigException(String problem) {
        this(List.of(problem), null);
    }

    ConfigException(String problem, Throwable cause) {
        this(List.of(problem), cause);
    }

    ConfigException(List<String> problems, Throwable cause) {
        super(problems.size() == 1 ? problems.getFirst()
                : problems.getFirst() + " (and " + (problems.size() - 1) + " more)", cause);
        this.problems = List.copyOf(problems);
    }

    /** All that is wrong, a line each. */
    public List<String> problems() {
        return problems;
    }
}
