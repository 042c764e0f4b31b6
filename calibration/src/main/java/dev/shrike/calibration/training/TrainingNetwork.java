package dev.shrike.calibration.training;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Activation;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A network that runs forwards and backwards on one image at a time. Its parameters may be shared with others that
 * run at the same time; its values are its own. Confined to one thread.
 */
final class TrainingNetwork {
    private final Map<String, Value> values = new LinkedHashMap<>();
    private final List<Operation> operations = new ArrayList<>();
    private final List<Value> results = new ArrayList<>();
    private final List<Convolution> convolutions = new ArrayList<>();
    private final Convolution.Scratch scratch = new Convolution.Scratch();
    private final Value input;

    /** Of what gradients are wanted. */
    enum Gradients {
        NONE,
        /** Of values alone. */
        VALUES,
        /** Of values and parameters. */
        ALL
    }

    /**
     * @param graph of fixed shape
     * @param parameters of each convolution by the name of its node
     * @param roundings of values by name
     * @throws UnsupportedModelException if an operation has no gradient here
     */
    TrainingNetwork(Graph graph, Map<String, LayerParameters> parameters, Map<String, Rounding> roundings,
            Gradients gradients) {
        Map<String, ValueInfo> infos = ShapeInference.infer(graph);
        this.input = add(graph.inputs().getFirst(), roundings, false);
        for (Node node : graph.nodes()) {
            Value y = add(infos.get(node.output()), roundings, gradients != Gradients.NONE);
            Operation operation = operation(node, y, parameters, gradients == Gradients.ALL);
            operations.add(operation);
            results.add(y);
            if (operation instanceof Convolution convolution) {
                convolutions.add(convolution);
            }
        }
    }

    private Value add(ValueInfo info, Map<String, Rounding> roundings, boolean learns) {
        Shape shape = info.shape();
        if (shape.rank() != 4) {
            throw unsupported("the value '" + info.name() + "' of shape " + shape);
        }
        Value value = new Value((int) shape.dim(2), (int) shape.dim(3), (int) shape.dim(1),
                roundings.get(info.name()), learns);
        values.put(info.name(), value);
        return value;
    }

    private Operation operation(Node node, Value y, Map<String, LayerParameters> parameters,
            boolean learns) {
        Value x = values.get(node.input(0));
        if (x == null) {
            throw unsupported("'" + node.name() + "', which reads a constant");
        }
        return switch (node.op()) {
            case Op.Conv conv when conv.group() == 1 && conv.activation().equals(Activation.NONE) ->
                new Convolution(node.name(), conv.window(), parameters.get(node.name()), x, y, scratch, learns);
            case Op.Unary unary when Operation.Activation.KINDS.contains(unary.kind()) ->
                new Operation.Activation(unary, x, y);
            case Op.Binary binary when binary.kind() == Op.Binary.Kind.ADD && values.containsKey(node.input(1))
                    && values.get(node.input(1)).exact.length == y.exact.length
                    && x.exact.length == y.exact.length ->
                new Operation.Add(x, values.get(node.input(1)), y);
            case Op.Concat concat when concat.axis() == 1 && values.keySet().containsAll(node.inputs()) ->
                new Operation.Concat(node.inputs().stream().map(values::get).toList(), y);
            case Op.MaxPool pool -> new Pooling(pool.window(), x, y);
            case Op.Resize resize when resize.mode() == Op.Resize.Mode.NEAREST && y.height % x.height == 0
                    && y.height / x.height == y.width / x.width && y.width % x.width == 0 ->
                new Operation.Enlarge(x, y, y.height / x.height);
            case Op.Identity _ -> new Operation.Copy(x, y);
            default -> throw unsupported("'" + node.name() + "' (" + node.op().getClass().getSimpleName() + ")");
        };
    }

    private static UnsupportedModelException unsupported(String what) {
        return new UnsupportedModelException(what + " has no gradient here");
    }

    Value value(String name) {
        return values.get(name);
    }

    List<Convolution> convolutions() {
        return convolutions;
    }

    Map<String, Value> values() {
        return values;
    }

    /** Runs the network on an image: row by row, pixel by pixel. */
    void forward(float[] image) {
        System.arraycopy(image, 0, input.exact, 0, input.exact.length);
        input.show();
        for (int i = 0; i < operations.size(); i++) {
            operations.get(i).forward();
            results.get(i).show();
        }
    }

    /** Sets all gradients of values to nothing, before those of a loss are added. */
    void clearValues() {
        results.forEach(value -> Arrays.fill(value.gradient, 0));
    }

    /** Leads the gradients of values back to the parameters, to whose gradients they are added. */
    void backward() {
        for (int i = operations.size() - 1; i >= 0; i--) {
            results.get(i).passBack();
            operations.get(i).backward();
        }
    }

    /** Sets the gradients of parameters to nothing. */
    void clear() {
        convolutions.forEach(Convolution::clear);
        results.forEach(value -> value.stepGradient = 0);
    }

    /** The parameters of the convolutions of a graph. */
    static Map<String, LayerParameters> parameters(Graph graph) {
        Map<String, LayerParameters> found = new LinkedHashMap<>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Conv) {
                Tensor weights = graph.constants().get(node.input(1));
                if (weights == null || weights.shape().rank() != 4) {
                    throw unsupported("'" + node.name() + "', whose weights are not constant or not of an image");
                }
                found.put(node.name(), new LayerParameters(weights, graph.quantization().get(node.input(1)),
                        graph.constants().get(node.input(2))));
            }
        }
        return found;
    }
}
