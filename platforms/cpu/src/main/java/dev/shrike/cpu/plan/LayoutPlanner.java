package dev.shrike.cpu.plan;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.cpu.binding.View;
import dev.shrike.cpu.lowering.NodeErrors;
import dev.shrike.cpu.lowering.ViewOps;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Gives every value a place so that layout operations cost nothing.
 *
 * <ol>
 *   <li>Forwards: the natural nesting of each value's dimensions; convolutions, pooling and resizing write channels
 *       last, element-wise operations keep their input's order, reshapes and transposes carry it over.
 *   <li>Backwards: a Concat gives each operand its slice of the result, and a reshape or transpose hands such a request
 *       on to its own input, so that producers write where the Concat's reader reads.
 *   <li>Forwards: everything else gets a storage of its own or becomes a view of its input. What cannot is copied.
 * </ol>
 */
final class LayoutPlanner {
    private final Graph graph;
    private final Map<String, int[]> dims = new HashMap<>();
    private final Map<String, Node> producers = new HashMap<>();
    private final Map<String, int[]> orders = new HashMap<>();
    private final Map<String, View> views = new HashMap<>();
    private final List<Long> sizes = new ArrayList<>();
    private final List<Integer> widths = new ArrayList<>();
    private final Map<Integer, List<Layout.Copy>> copies = new HashMap<>();
    private final Map<Integer, Map<Integer, View>> inputs = new HashMap<>();
    private final Set<String> aliased = new HashSet<>();
    /** Values that somebody outside reads, who walks forwards. */
    private final Set<String> visible = new HashSet<>();

    private LayoutPlanner(Graph graph, Map<String, ValueInfo> types, Set<String> taps) {
        this.graph = graph;
        types.forEach((name, info) -> {
            if (!graph.constants().containsKey(name)) {
                dims.put(name, toInts(info));
            }
        });
        graph.inputs().forEach(input -> requireElements("input '" + input.name() + "'", dims.get(input.name())));
        for (Node node : graph.nodes()) {
            for (String output : node.outputs()) {
                producers.put(output, node);
                if (!output.isEmpty()) {
                    requireElements("node '" + node.name() + "' (" + node.op().getClass().getSimpleName()
                            + "): its result '" + output + "'", dims.get(output));
                }
            }
        }
        graph.outputs().forEach(output -> visible.add(output.name()));
        visible.addAll(taps);
    }

    private static void requireElements(String what, int[] dims) {
        if (Arrays.stream(dims).anyMatch(d -> d == 0)) {
            throw new UnsupportedModelException(what + " has the shape " + Arrays.toString(dims)
                    + " without elements, which the CPU engine does not compute");
        }
    }

    /** The layout of a graph whose shapes are all known; taps keep their storage to the end of a run. */
    static Layout plan(Graph graph, Map<String, ValueInfo> types, Set<String> taps) {
        LayoutPlanner planner = new LayoutPlanner(graph, types, taps);
        planner.findOrders();
        planner.requestPlaces();
        planner.placeTheRest();
        return new Layout(planner.views, planner.lifetimes(taps), planner.copies, planner.inputs);
    }

    private static int[] toInts(ValueInfo info) {
        if (!info.shape().isKnown()) {
            throw new ModelException("value '" + info.name() + "' has the open shape " + info.shape()
                    + "; give the input size");
        }
        if (info.shape().elements() > Integer.MAX_VALUE / 4) {
            throw new UnsupportedModelException("value '" + info.name() + "' of shape " + info.shape()
                    + " is larger than 2 GiB");
        }
        return info.shape().dims().stream().mapToInt(Math::toIntExact).toArray();
    }

    // --- natural orders -------------------------------------------------------------------------------------------

    private void findOrders() {
        for (ValueInfo input : graph.inputs()) {
            orders.put(input.name(), View.channelsLast(input.shape().rank()));
        }
        for (Node node : graph.nodes()) {
            for (int i = 0; i < node.outputs().size(); i++) {
                String output = node.outputs().get(i);
                if (!output.isEmpty()) {
                    NodeErrors.guarded(node, () -> orders.put(output, naturalOrder(node, dims.get(output))));
                }
            }
        }
    }

    private int[] naturalOrder(Node node, int[] out) {
        return switch (node.op()) {
            case Op.Conv _,Op.MaxPool _,Op.AveragePool _,Op.GlobalAveragePool _,Op.Resize _ ->
                View.channelsLast(out.length);
            case Op.Transpose _,Op.Reshape _,Op.Flatten _,Op.Squeeze _,Op.Unsqueeze _,Op.Identity _ -> {
                int[] order = orders.get(node.input(0));
                if (order == null) {
                    yield View.rowMajor(out.length);
                }
                View source = View.dense(0, dims.get(node.input(0)), order);
                yield forward(node, 0, source, out).map(View::order).orElseGet(() -> View.rowMajor(out.length));
            }
            case Op.MatMul _,Op.Gemm _ -> View.rowMajor(out.length);
            default -> widestOrder(node, out.length);
        };
    }

    /** The order of the largest input of that rank. */
    private int[] widestOrder(Node node, int rank) {
        int[] best = null;
        long most = 0;
        for (String input : node.inputs()) {
            int[] order = orders.get(input);
            if (order != null && order.length == rank) {
                long elements = Arrays.stream(dims.get(input)).asLongStream().reduce(1, (a, b) -> a * b);
                if (elements > most) {
                    most = elements;
                    best = order;
                }
            }
        }
        return best == null ? View.rowMajor(rank) : best;
    }

    // --- backwards: who asks for a place ----------------------------------------------------------------------------

    private void requestPlaces() {
        for (int index = graph.nodes().size() - 1; index >= 0; index--) {
            Node node = graph.nodes().get(index);
            int number = index;
            if (node.op() instanceof Op.Concat concat) {
                NodeErrors.guarded(node, () -> requestForConcat(number, node, concat));
            } else if (ViewOps.isOne(node) && node.outputs().size() == 1) {
                NodeErrors.guarded(node, () -> handOn(node));
            }
        }
    }

    private void requestForConcat(int index, Node node, Op.Concat concat) {
        View whole = views.computeIfAbsent(node.output(), this::fresh);
        int axis = concat.axis() < 0 ? concat.axis() + whole.rank() : concat.axis();
        int start = 0;
        for (String input : node.inputs()) {
            int length = dimsOf(input)[axis];
            if (length == 0) {
                continue;
            }
            View slot = whole.slice(axis, start, length, 1);
            start += length;
            if (mayTake(input, slot)) {
                views.put(input, slot);
            } else {
                copies.computeIfAbsent(index, _ -> new ArrayList<>()).add(new Layout.Copy(input, null, slot));
            }
        }
    }

    /** A reshape or transpose with a place asked for its output asks for the matching place of its input. */
    private void handOn(Node node) {
        View wanted = views.get(node.output());
        if (wanted == null) {
            return;
        }
        String input = node.input(0);
        Optional<View> place = backward(node, wanted);
        if (place.isPresent() && mayTake(input, place.get())) {
            views.put(input, place.get());
            aliased.add(node.output());
        }
    }

    private boolean mayTake(String value, View place) {
        Node producer = producers.get(value);
        if (producer == null || views.containsKey(value)) {
            return false;
        }
        return !needsChannelsInnermost(producer.op()) || place.channelsInnermost();
    }

    static boolean needsChannelsInnermost(Op op) {
        return switch (op) {
            case Op.Conv _,Op.MaxPool _,Op.AveragePool _,Op.GlobalAveragePool _ -> true;
            case Op.Resize resize -> !resize.isFilter();
            default -> false;
        };
    }

    // --- forwards: places for the rest -----------------------------------------------------------------------------

    private void placeTheRest() {
        for (ValueInfo input : graph.inputs()) {
            views.put(input.name(), fresh(input.name()));
        }
        for (int index = 0; index < graph.nodes().size(); index++) {
            Node node = graph.nodes().get(index);
            int number = index;
            NodeErrors.guarded(node, () -> placeResults(number, node));
        }
    }

    private void placeResults(int index, Node node) {
        straightenInputs(index, node);
        for (int i = 0; i < node.outputs().size(); i++) {
            String output = node.outputs().get(i);
            if (!output.isEmpty()) {
                place(index, node, i, output);
            }
        }
        completeCopies(index);
    }

    /** Image operations read channels innermost; an input that lies otherwise is copied first. */
    private void straightenInputs(int index, Node node) {
        if (!needsChannelsInnermost(node.op())) {
            return;
        }
        int[] images = node.op() instanceof Op.Conv ? new int[] {0, 3} : new int[] {0};
        for (int input : images) {
            if (!node.hasInput(input)) {
                continue;
            }
            String value = node.input(input);
            View view = views.get(value);
            if (view != null && view.channelsInnermost()) {
                continue;
            }
            int[] shape = dimsOf(value);
            if (shape.length != 4) {
                throw new UnsupportedModelException("node '" + node.name() + "': input '" + value + "' has "
                        + shape.length + " dimensions, only two-dimensional images (4) are supported");
            }
            View straight = View.dense(newStorage(value, shape), shape, View.channelsLast(4));
            copies.computeIfAbsent(index, _ -> new ArrayList<>()).add(new Layout.Copy(value, view, straight));
            inputs.computeIfAbsent(index, _ -> new HashMap<>()).put(input, straight);
        }
    }

    private void place(int index, Node node, int outputIndex, String output) {
        if (!ViewOps.isOne(node)) {
            views.computeIfAbsent(output, this::fresh);
            return;
        }
        if (aliased.contains(output)) {
            return;
        }
        View source = views.get(node.input(0));
        View wanted = views.get(output);
        Optional<View> view =
                source == null ? Optional.empty() : forward(node, outputIndex, source, dims.get(output));
        boolean fits = view.isPresent() && !(visible.contains(output) && view.get().isBackwards());
        if (fits && wanted == null) {
            views.put(output, view.get());
            return;
        }
        View target = wanted != null ? wanted : fresh(output);
        views.put(output, target);
        List<Layout.Copy> list = copies.computeIfAbsent(index, _ -> new ArrayList<>());
        if (view.isPresent()) {
            list.add(new Layout.Copy(node.input(0), view.get(), target));
            return;
        }
        // The source does not nest: copy it as it is into a place that, seen through the operation, is the target,
        // or, if the target is no such place either, into a dense one of its own first.
        Optional<View> place = backward(node, target);
        if (place.isPresent()) {
            list.add(new Layout.Copy(node.input(0), source, place.get()));
            return;
        }
        int[] sourceDims = dimsOf(node.input(0));
        View between = View.dense(newStorage(node.input(0), sourceDims), sourceDims, View.rowMajor(sourceDims.length));
        list.add(new Layout.Copy(node.input(0), source, between));
        View through = forward(node, outputIndex, between, dims.get(output))
                .orElseThrow(() -> new IllegalStateException("dense storage does not reshape: " + node));
        list.add(new Layout.Copy(node.input(0), through, target));
    }

    /** Sources of Concat's copies are known only now. */
    private void completeCopies(int index) {
        List<Layout.Copy> list = copies.get(index);
        if (list == null) {
            return;
        }
        list.replaceAll(copy -> copy.from() == null && views.containsKey(copy.source())
                ? new Layout.Copy(copy.source(), views.get(copy.source()), copy.to())
                : copy);
    }

    // --- operations that only look differently at their input ------------------------------------------------------

    /** The output as a view of its input, or nothing if that takes a copy. */
    private Optional<View> forward(Node node, int outputIndex, View source, int[] out) {
        return switch (node.op()) {
            case Op.Reshape _,Op.Flatten _,Op.Squeeze _,Op.Unsqueeze _ -> source.reshape(out);
            case Op.Transpose transpose -> Optional.of(source.transpose(permutation(transpose, source.rank())));
            case Op.Identity _ -> Optional.of(source);
            case Op.Expand _ -> Optional.of(source.broadcast(out));
            case Op.Split split -> Optional.of(splitPart(node, split, outputIndex, source));
            case Op.Slice _ -> Optional.of(slicePart(node, source, out));
            default -> throw new IllegalStateException(node.op() + " is no view");
        };
    }

    /** The place of the input for which the output lies at {@code wanted}. */
    private Optional<View> backward(Node node, View wanted) {
        return switch (node.op()) {
            case Op.Reshape _,Op.Flatten _,Op.Squeeze _,Op.Unsqueeze _ -> wanted.reshape(dimsOf(node.input(0)));
            case Op.Identity _ -> Optional.of(wanted);
            case Op.Transpose transpose -> {
                int[] permutation = permutation(transpose, wanted.rank());
                int[] inverse = new int[wanted.rank()];
                for (int d = 0; d < inverse.length; d++) {
                    inverse[permutation[d]] = d;
                }
                yield Optional.of(wanted.transpose(inverse));
            }
            default -> Optional.empty();
        };
    }

    /** The permutation; an empty one turns the dimensions round. */
    private static int[] permutation(Op.Transpose transpose, int rank) {
        List<Integer> given = transpose.permutation();
        return IntStream.range(0, rank).map(d -> given.isEmpty() ? rank - 1 - d : given.get(d)).toArray();
    }

    private View splitPart(Node node, Op.Split split, int outputIndex, View source) {
        int axis = split.axis() < 0 ? split.axis() + source.rank() : split.axis();
        long[] sizes = node.hasInput(1) ? constant(node, 1) : null;
        int equal = Math.ceilDiv(source.dims()[axis], node.outputs().size());
        long start = 0;
        for (int i = 0; i < outputIndex; i++) {
            start += sizes == null ? equal : sizes[i];
        }
        return source.slice(axis, start, dims.get(node.outputs().get(outputIndex))[axis], 1);
    }

    private View slicePart(Node node, View source, int[] out) {
        long[] starts = constant(node, 1);
        long[] axes = node.hasInput(3) ? constant(node, 3) : null;
        long[] steps = node.hasInput(4) ? constant(node, 4) : null;
        View view = source;
        for (int i = 0; i < starts.length; i++) {
            int axis = axes == null ? i : (int) (axes[i] < 0 ? axes[i] + source.rank() : axes[i]);
            long step = steps == null ? 1 : steps[i];
            long size = source.dims()[axis];
            long start = starts[i] < 0 ? starts[i] + size : starts[i];
            start = Math.clamp(start, 0, step > 0 ? size : size - 1);
            view = view.slice(axis, start, out[axis], step);
        }
        return view;
    }

    private long[] constant(Node node, int input) {
        Tensor tensor = graph.constants().get(node.input(input));
        if (tensor == null) {
            throw new UnsupportedModelException("node '" + node.name() + "': input " + input + " ('" + node.input(input)
                    + "') must be constant once the input size is set");
        }
        return tensor.toLongs();
    }

    // --- storages --------------------------------------------------------------------------------------------------

    private int[] dimsOf(String value) {
        int[] known = dims.get(value);
        if (known != null) {
            return known;
        }
        Tensor constant = graph.constants().get(value);
        return constant.shape().dims().stream().mapToInt(Math::toIntExact).toArray();
    }

    private View fresh(String value) {
        int[] shape = dims.get(value);
        return View.dense(newStorage(value, shape), shape, orders.getOrDefault(value, View.rowMajor(shape.length)));
    }

    private int newStorage(String value, int[] shape) {
        long n = 1;
        for (int d : shape) {
            n = Math.multiplyExact(n, (long) d);
        }
        sizes.add(n);
        widths.add(graph.quantization().containsKey(value) ? 1 : Float.BYTES);
        return sizes.size() - 1;
    }

    private List<Layout.Storage> lifetimes(Set<String> taps) {
        int count = graph.nodes().size();
        int[] first = new int[sizes.size()];
        int[] last = new int[sizes.size()];
        Arrays.fill(first, count);
        Arrays.fill(last, -1);
        for (int index = 0; index < count; index++) {
            Node node = graph.nodes().get(index);
            for (String value : node.inputs()) {
                touch(views.get(value), index, first, last);
            }
            for (String value : node.outputs()) {
                touch(views.get(value), index, first, last);
            }
            for (Layout.Copy copy : copies.getOrDefault(index, List.of())) {
                touch(copy.from(), index, first, last);
                touch(copy.to(), index, first, last);
            }
        }
        for (ValueInfo input : graph.inputs()) {
            touch(views.get(input.name()), -1, first, last);
            touch(views.get(input.name()), count, first, last);
        }
        for (ValueInfo output : graph.outputs()) {
            touch(views.get(output.name()), count, first, last);
        }
        for (String tap : taps) {
            // A tapped value may share its storage with earlier ones, but nothing later may overwrite it.
            touch(views.get(tap), count, first, last);
        }
        List<Layout.Storage> storages = new ArrayList<>();
        for (int i = 0; i < sizes.size(); i++) {
            storages.add(new Layout.Storage(sizes.get(i), widths.get(i), first[i], last[i]));
        }
        return storages;
    }

    private static void touch(View view, int index, int[] first, int[] last) {
        if (view != null) {
            first[view.storage()] = Math.min(first[view.storage()], index);
            last[view.storage()] = Math.max(last[view.storage()], index);
        }
    }
}
