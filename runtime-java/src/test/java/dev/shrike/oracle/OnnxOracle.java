package dev.shrike.oracle;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A second opinion on quantised networks: written from the texts of the ONNX and QONNX operators alone, in float64, and
 * of the product it knows no more than how a graph is spelt. It fuses nothing, sums no integers and has no tables, so a
 * wrong formula of the engine and of its evaluator shows here.
 *
 * <p>Beside the exact value of every element goes the interval in which an implementation in float32 may have it
 * ({@link Formulas#slack}); where it does not lie between two codes, the code is determined.
 */
public final class OnnxOracle {
    private final Graph graph;
    private final Formulas formulas;
    private final OracleOperators operators;
    private final NearTies ties = new NearTies();
    private final Map<String, IntervalTensor> values = new HashMap<>();

    private OnnxOracle(Graph graph, Formulas formulas) {
        this.graph = graph;
        this.formulas = formulas;
        this.operators = new OracleOperators(formulas);
    }

    /**
     * What a network gives.
     *
     * @param values every value by name; those with {@link Graph#quantization} as the floats of their codes
     * @param ties the roundings on the way
     */
    public record Results(Map<String, IntervalTensor> values, NearTies ties) {}

    /** All values of a network of one input. */
    public static Results run(Graph graph, float[] input, Formulas formulas) {
        ValueInfo x = graph.inputs().getFirst();
        return new OnnxOracle(graph, formulas).run(Map.of(x.name(), Tensor.ofFloats(x.shape(), input)));
    }

    private Results run(Map<String, Tensor> inputs) {
        graph.constants().forEach((name, tensor) -> values.put(name, constant(tensor, graph.quantization().get(name))));
        inputs.forEach((name, tensor) -> put(name, IntervalTensor.exact(tensor)));
        for (Node node : graph.nodes()) {
            List<IntervalTensor> operands = new ArrayList<>();
            node.inputs().forEach(name -> operands.add(values.get(name)));
            List<IntervalTensor> results = switch (node.op()) {
                case Op.QuantizeLinear op -> List.of(quantizeLinear(op, node, operands));
                case Op.DequantizeLinear op -> List.of(dequantizeLinear(op, operands));
                case Op.Quant op -> List.of(quant(op, operands));
                case Op.BipolarQuant _ ->
                    List.of(signs(operands.getFirst(), new Grid(operands.get(1), null, -1, 1, 0, false)));
                default -> operators.apply(node.op(), operands);
            };
            for (int i = 0; i < results.size(); i++) {
                put(node.outputs().get(i), results.get(i));
            }
        }
        return new Results(Map.copyOf(values), ties);
    }

    private void put(String name, IntervalTensor tensor) {
        Quantization how = graph.quantization().get(name);
        if (how == null) {
            values.put(name, tensor);
            return;
        }
        Grid grid = grid(how);
        values.put(name, how.bipolar() ? signs(tensor, grid) : floats(codes(tensor, shifted(grid)), grid));
    }

    private static IntervalTensor constant(Tensor tensor, Quantization how) {
        return how == null ? IntervalTensor.exact(tensor) : floats(IntervalTensor.exact(tensor), grid(how));
    }

    /**
     * Where codes lie: {@code scale * (code - zero)}.
     *
     * @param scale one, or one per index of the axis
     * @param zero likewise; null is 0
     * @param shift added to the zero points
     * @param zeroFirst whether the zero point is added before rounding, as QONNX has it
     */
    private record Grid(
            IntervalTensor scale, IntervalTensor zero, int low, int high, int axis, int shift, boolean zeroFirst) {
        Grid(IntervalTensor scale, IntervalTensor zero, int low, int high, int axis, boolean zeroFirst) {
            this(scale, zero, low, high, axis, 0, zeroFirst);
        }

        double scale(int index) {
            return scale.value()[scale.size() == 1 ? 0 : index];
        }

        double zero(int index) {
            return zero == null ? 0 : Math.clamp(zero.value()[zero.size() == 1 ? 0 : index] + shift, low, high);
        }
    }

    private static Grid grid(Quantization how) {
        return new Grid(IntervalTensor.exact(how.scale()), IntervalTensor.exact(how.zeroPoint()), how.minCode(),
                how.maxCode(), Math.max(0, how.axis()), false);
    }

    /** The grid by which values are rounded: the one that they are read by, unless a wrong formula is to be shown. */
    private Grid shifted(Grid grid) {
        return new Grid(grid.scale(), grid.zero(), grid.low(), grid.high(), grid.axis(), formulas.zeroPointShift(),
                grid.zeroFirst());
    }

    /** The index along the axis of an element. */
    private static int along(int[] dims, int axis, int element) {
        if (dims.length == 0) {
            return 0;
        }
        int inner = 1;
        for (int i = (axis + dims.length) % dims.length + 1; i < dims.length; i++) {
            inner *= dims[i];
        }
        return element / inner % dims[(axis + dims.length) % dims.length];
    }

    /** {@code saturate(round(x / scale) + zero)}. */
    private IntervalTensor codes(IntervalTensor x, Grid grid) {
        IntervalTensor result = IntervalTensor.empty(x.dims());
        for (int i = 0; i < x.size(); i++) {
            int at = along(x.dims(), grid.axis(), i);
            double scale = grid.scale(at);
            double zero = grid.zero(at);
            // Codes may be stored shifted by half their range, and a zero point be added before rounding.
            double error = formulas.error(x.magnitude(i) / scale + Math.abs(zero) + grid.high() - grid.low());
            double least = x.low()[i] / scale - error;
            double most = x.high()[i] / scale + error;
            double exact = x.value()[i] / scale;
            result.set(i, code(exact, zero, grid), code(least, zero, grid), code(most, zero, grid));
            if (exact + zero > grid.low() - 1 && exact + zero < grid.high() + 1) {
                ties.add(exact, least, most, result.low()[i] < result.high()[i]);
            }
        }
        return result;
    }

    private double code(double position, double zero, Grid grid) {
        double rounded = grid.zeroFirst()
                ? formulas.round().applyAsDouble(position + zero)
                : formulas.round().applyAsDouble(position) + zero;
        return Math.clamp(rounded, grid.low(), grid.high());
    }

    /** {@code (code - zero) * scale}. */
    private static IntervalTensor floats(IntervalTensor codes, Grid grid) {
        IntervalTensor result = IntervalTensor.empty(codes.dims());
        for (int i = 0; i < codes.size(); i++) {
            int at = along(codes.dims(), grid.axis(), i);
            double scale = grid.scale(at);
            double zero = grid.zero(at);
            result.set(i, (codes.value()[i] - zero) * scale, (codes.low()[i] - zero) * scale,
                    (codes.high()[i] - zero) * scale);
        }
        return result.ofCodes(Math.max(1, grid.high() - grid.low()) * grid.scale(0), -grid.zero(0) * grid.scale(0));
    }

    private IntervalTensor signs(IntervalTensor x, Grid grid) {
        IntervalTensor result = IntervalTensor.empty(x.dims());
        for (int i = 0; i < x.size(); i++) {
            double scale = grid.scale(along(x.dims(), grid.axis(), i));
            double error = formulas.error(x.magnitude(i));
            result.set(i, x.value()[i] >= 0 ? scale : -scale, x.low()[i] - error >= 0 ? scale : -scale,
                    x.high()[i] + error >= 0 ? scale : -scale);
        }
        return result.ofCodes(2 * grid.scale(0), 0);
    }

    private IntervalTensor quantizeLinear(Op.QuantizeLinear op, Node node, List<IntervalTensor> operands) {
        DataType type = operands.size() > 2 && graph.constants().containsKey(node.input(2))
                ? graph.constants().get(node.input(2)).type() : op.type();
        boolean signed = type == DataType.INT8 || type == DataType.INT4;
        int bits = type == DataType.INT8 || type == DataType.UINT8 ? 8 : 4;
        int low = signed ? -(1 << (bits - 1)) : 0;
        return codes(operands.getFirst(), shifted(new Grid(operands.get(1),
                operands.size() > 2 ? operands.get(2) : null, low, low + (1 << bits) - 1, op.axis(), false)));
    }

    /** The range of its codes is that of eight bits, or it would have to be told their type. */
    private IntervalTensor dequantizeLinear(Op.DequantizeLinear op, List<IntervalTensor> operands) {
        return floats(operands.getFirst(), new Grid(operands.get(1), operands.size() > 2 ? operands.get(2) : null,
                -128, 255, op.axis(), false));
    }

    private IntervalTensor quant(Op.Quant op, List<IntervalTensor> operands) {
        int bits = (int) operands.get(3).value()[0];
        int low = op.signed() ? -(1 << (bits - 1)) + (op.narrow() ? 1 : 0) : 0;
        int high = op.signed() ? (1 << (bits - 1)) - 1 : (1 << bits) - 1 - (op.narrow() ? 1 : 0);
        // Scales broadcast: the one axis that they vary along.
        int[] dims = operands.get(1).dims();
        int axis = 0;
        for (int i = 0; i < dims.length; i++) {
            axis = dims[i] > 1 ? i : axis;
        }
        Grid grid = new Grid(operands.get(1), operands.get(2), low, high, axis, true);
        return floats(codes(operands.getFirst(), shifted(grid)), grid);
    }
}
