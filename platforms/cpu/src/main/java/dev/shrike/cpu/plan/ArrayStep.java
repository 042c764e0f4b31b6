package dev.shrike.cpu.plan;

import dev.shrike.cpu.binding.View;
import dev.shrike.cpu.lowering.LoweredNode;
import dev.shrike.cpu.lowering.NodeErrors;
import dev.shrike.cpu.steps.Step;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.kernels.ArrayKernel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * An operation that is not worth native code: inputs are copied into arrays, an {@link ArrayKernel} computes, results
 * are copied out. The arrays are there from the start, so running makes no garbage.
 */
final class ArrayStep extends Step {
    private static final int MOST_ELEMENTS = 1 << 25;

    private final ArrayKernel kernel;
    private final Place[] sources;
    private final Place[] targets;
    private final double[][] inputs;
    private final double[][] outputs;

    private ArrayStep(LoweredNode node, Op op, ArrayKernel kernel, Place[] sources, Place[] targets, double[][] inputs,
            double[][] outputs) {
        super(node.name(), "array " + op.getClass().getSimpleName(), 0);
        this.kernel = kernel;
        this.sources = sources;
        this.targets = targets;
        this.inputs = inputs;
        this.outputs = outputs;
    }

    /** The step of a node for whose operator there is an {@link ArrayKernel}. */
    static ArrayStep of(PlanBuilder plan, int index, LoweredNode node, Op op) {
        int count = node.inputs().size();
        List<Shape> shapes = new ArrayList<>();
        Place[] sources = new Place[count];
        double[][] inputs = new double[count][];
        for (int i = 0; i < count; i++) {
            Optional<Tensor> constant = plan.constantOf(node, i);
            shapes.add(!node.hasInput(i) ? null
                    : constant.map(Tensor::shape).orElseGet(shapeOf(plan, node.input(i))));
            if (constant.isPresent()) {
                inputs[i] = numbers(constant.get());
            } else if (node.hasInput(i)) {
                sources[i] = new Place(plan, plan.inputView(index, node, i));
                inputs[i] = array(node, shapes.get(i));
            }
        }
        // All results have one shape, those that nobody wants too.
        String wanted = node.outputs().stream().filter(name -> !name.isEmpty()).findFirst().orElseThrow();
        List<Shape> results = new ArrayList<>();
        Place[] targets = new Place[node.outputs().size()];
        double[][] outputs = new double[targets.length][];
        for (int i = 0; i < targets.length; i++) {
            String name = node.outputs().get(i);
            Shape shape = plan.shape(name.isEmpty() ? wanted : name);
            results.add(shape);
            outputs[i] = array(node, shape);
            targets[i] = name.isEmpty() ? null : new Place(plan, plan.viewOf(name));
        }
        Node described = new Node(node.name(), op, node.inputs(), node.outputs());
        ArrayKernel kernel = ArrayKernel.of(described, shapes, results)
                .orElseThrow(() -> NodeErrors.unsupported(node, "the CPU engine has no kernel for it"));
        return new ArrayStep(node, op, kernel, sources, targets, inputs, outputs);
    }

    private static double[] array(LoweredNode node, Shape shape) {
        if (shape.elements() > MOST_ELEMENTS) {
            throw NodeErrors.unsupported(node, "a value of shape " + shape + " has more than " + MOST_ELEMENTS
                    + " elements");
        }
        return new double[(int) shape.elements()];
    }

    private static java.util.function.Supplier<Shape> shapeOf(PlanBuilder plan, String value) {
        return () -> plan.shape(value);
    }

    private static double[] numbers(Tensor tensor) {
        double[] values = new double[Math.toIntExact(tensor.elements())];
        Arrays.setAll(values, i -> tensor.type().isFloating() ? tensor.doubleAt(i) : tensor.longAt(i));
        return values;
    }

    @Override
    public int execute() {
        for (int i = 0; i < sources.length; i++) {
            if (sources[i] != null) {
                sources[i].read(inputs[i]);
            }
        }
        kernel.run(inputs, outputs);
        for (int i = 0; i < targets.length; i++) {
            if (targets[i] != null) {
                targets[i].write(outputs[i]);
            }
        }
        return 0;
    }

    @Override
    public String statusText(int status) {
        return "status " + status;
    }

    /** The elements of a view in row-major order. */
    private static final class Place {
        private final MemorySegment memory;
        private final View view;
        private final int[] at;

        Place(PlanBuilder plan, View view) {
            this.memory = plan.memory(view);
            this.view = view;
            this.at = new int[view.rank()];
        }

        void read(double[] values) {
            long place = view.offset();
            for (int i = 0; i < values.length; i++) {
                values[i] = memory.getAtIndex(ValueLayout.JAVA_FLOAT, place);
                place = next(place);
            }
        }

        void write(double[] values) {
            long place = view.offset();
            for (int i = 0; i < values.length; i++) {
                memory.setAtIndex(ValueLayout.JAVA_FLOAT, place, (float) values[i]);
                place = next(place);
            }
        }

        /** The place behind, and back to the first one at the end. */
        private long next(long place) {
            long next = place;
            for (int d = at.length - 1; d >= 0; d--) {
                next += view.strides()[d];
                if (++at[d] < view.dims()[d]) {
                    return next;
                }
                next -= view.strides()[d] * at[d];
                at[d] = 0;
            }
            return next;
        }
    }
}
