package dev.shrike.app.serve.config;

/**
 * Where something stands in a configuration.
 *
 * @param origin the file, or what else it came from
 * @param line from 1; 0 if there are no lines
 * @param column from 1
 */
public record Position(String origin, int line, int column) {
    /** A place that has no lines: an option or a variable of the environment. */
    static Position of(String origin) {
        return new Position(origin, 0, 0);
    }

    @Override
    public String toString() {
        return line == 0 ? origin : origin + ":" + line + ":" + column;
    }
}
