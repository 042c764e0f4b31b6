package dev.shrike.graph.passes;

import dev.shrike.ModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.shapes.ShapeRules;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/** Gives the open dimensions of inputs their sizes. Without a size of its own, an open first dimension becomes 1. */
public final class FixInputShapes implements GraphPass {
    private final Map<String, Shape> shapes;

    /**
     * A pass that sets these shapes.
     *
     * @param shapes shapes by input name; a dimension that is open here too counts as not given
     */
    public FixInputShapes(Map<String, Shape> shapes) {
        this.shapes = Map.copyOf(Objects.requireNonNull(shapes, "shapes"));
    }

    /**
     * The graph with inputs of known shape.
     *
     * @throws ModelException if a shape names no input or contradicts the model, or if a size is still missing; says
     *     which sizes the model accepts
     */
    @Override
    public Graph apply(Graph graph) {
        Set<String> names = new LinkedHashSet<>();
        graph.inputs().forEach(input -> names.add(input.name()));
        for (String name : shapes.keySet()) {
            if (!names.contains(name)) {
                throw new ModelException("the model has no input '" + name + "'; its inputs are "
                        + names.stream().collect(Collectors.joining("', '", "'", "'")));
            }
        }
        List<ValueInfo> inputs = new ArrayList<>();
        for (ValueInfo input : graph.inputs()) {
            inputs.add(new ValueInfo(input.name(), input.type(), fix(input, shapes.get(input.name()))));
        }
        return inputs.equals(graph.inputs()) ? graph : graph.withInputs(inputs);
    }

    private static Shape fix(ValueInfo input, Shape given) {
        Shape own = input.shape();
        if (given != null && given.rank() != own.rank()) {
            throw mismatch(input, given);
        }
        long[] dims = own.toArray();
        for (int i = 0; i < dims.length; i++) {
            long size = given == null ? Shape.OPEN : given.dim(i);
            if (ShapeRules.differ(dims[i], size) || size == 0) {
                throw mismatch(input, given);
            }
            if (dims[i] == Shape.OPEN) {
                dims[i] = size == Shape.OPEN && i == 0 ? 1 : size;
            }
            if (dims[i] == Shape.OPEN) {
                throw new ModelException("input '" + input.name() + "' has shape " + own
                        + " and needs a size: give one for each '?', such as "
                        + (own.rank() == 4 ? "640x640 for height and width" : "a full shape"));
            }
        }
        return Shape.of(dims);
    }

    private static ModelException mismatch(ValueInfo input, Shape given) {
        String accepted = input.shape().isKnown()
                ? "only " + input.shape() : input.shape() + " with any size of at least 1 in place of '?'";
        return new ModelException("input '" + input.name() + "' cannot have shape " + given + "; the model accepts "
                + accepted);
    }
}
