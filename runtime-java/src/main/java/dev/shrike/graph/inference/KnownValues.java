package dev.shrike.graph.inference;

import dev.shrike.graph.NodeView;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.TensorType;
import dev.shrike.graph.Window;
import dev.shrike.graph.kernels.Evaluation;
import dev.shrike.graph.shapes.CreationShapes;
import java.util.List;
import java.util.Optional;

/**
 * Computes nodes whose results do not depend on what the graph is run with. What all of them together may cost is
 * bounded, so that a hostile file is not slow to open: past the bound, values are just not known.
 */
public final class KnownValues {
    private final long maxElements;
    private double remainingWork;

    /**
     * @param maxElements elements of the largest result to compute
     * @param work multiplications and moves that all nodes together may take
     */
    public KnownValues(long maxElements, double work) {
        this.maxElements = maxElements;
        this.remainingWork = work;
    }

    /** The results, if every input has a value (or the node only asks for a known shape) and the cost is bounded. */
    public Optional<List<Tensor>> compute(NodeView view, List<TensorType> outputs) {
        if (view.node().op() instanceof Op.ShapeOf op) {
            int[] bounds = CreationShapes.shapeBounds(view, op);
            Shape part = new Shape(view.shape(0).dims().subList(bounds[0], bounds[1]));
            return part.isKnown() ? Optional.of(List.of(Tensor.vector(part.toArray()))) : Optional.empty();
        }
        for (int i = 0; i < view.inputCount(); i++) {
            if (view.has(i) && view.value(i).isEmpty()) {
                return Optional.empty();
            }
        }
        for (TensorType type : outputs) {
            if (!type.shape().isKnown() || type.shape().elements() > maxElements) {
                return Optional.empty();
            }
        }
        double work = work(view, outputs);
        if (work > remainingWork) {
            return Optional.empty();
        }
        remainingWork -= work;
        return Optional.of(Evaluation.evaluate(view, outputs));
    }

    private static double work(NodeView view, List<TensorType> outputs) {
        double results = outputs.stream().mapToDouble(type -> type.shape().elements()).sum();
        double inputs = 0;
        for (int i = 0; i < view.inputCount(); i++) {
            inputs += view.has(i) ? view.shape(i).elements() : 0;
        }
        return inputs + results * perResult(view);
    }

    private static double perResult(NodeView view) {
        return switch (view.node().op()) {
            case Op.Conv conv -> (double) view.shape(1).dim(1) * area(conv.window());
            case Op.MatMul _ -> view.shape(0).dim(-1);
            case Op.Gemm gemm -> view.shape(0).dim(gemm.transA() ? 0 : 1);
            case Op.MaxPool pool -> area(pool.window());
            case Op.AveragePool pool -> area(pool.window());
            default -> 1;
        };
    }

    private static double area(Window window) {
        return (double) window.kernelHeight() * window.kernelWidth();
    }
}
