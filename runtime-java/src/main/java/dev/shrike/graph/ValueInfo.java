package dev.shrike.graph;

import java.util.Objects;

/**
 * Name, element type and shape of a value.
 *
 * @param name name of the value, unique in its graph
 * @param type element type
 * @param shape dimensions, of which some may be open
 */
public record ValueInfo(String name, DataType type, Shape shape) {
    public ValueInfo {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(shape, "shape");
    }
}
