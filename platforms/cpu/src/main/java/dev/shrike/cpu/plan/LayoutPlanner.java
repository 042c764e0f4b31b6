package dev.shrike.cpu.plan;

import dev.shrike.UnsupportedModelException;
import dev.shrike.cpu.binding.View;
import dev.shrike.cpu.lowering.CodesOp;
import dev.shrike.cpu.lowering.LoweredNetwork;
import dev.shrike.cpu.lowering.LoweredNode;
import dev.shrike.cpu.lowering.LoweredOp;
import dev.shrike.cpu.lowering.LoweredTensor;
import dev.shrike.cpu.lowering.NodeErrors;
import dev.shrike.cpu.lowering.QuantizedConv;
import dev.shrike.cpu.lowering.ViewOp;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

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
    private final LoweredNetwork network;
    private final Map<String, int[]> dims = new HashMap<>();
    private final Map<String, LoweredNode> producers = new HashMap<>();
    private final Map<String, int[]> orders = new HashMap<>();
    private final Map<String, View> views = new HashMap<>();
    private final List<Long> sizes = new ArrayList<>();
    private final List<Integer> widths = new ArrayList<>();
    private final Map<Integer, List<Layout.Copy>> copies = new HashMap<>();
    private final Map<Integer, Map<Integer, View>> inputs = new HashMap<>();
    private final Set<String> aliased = new HashSet<>();
    /** Values that somebody outside reads, who walks forwards. */
    private final Set<String> visible = new HashSet<>();

    private LayoutPlanner(LoweredNetwork network, Set<String> taps) {
        this.network = network;
        network.tensors().forEach((name, tensor) -> dims.put(name, tensor.dims()));
        for (LoweredNode node : network.nodes()) {
            node.outputs().forEach(output -> producers.put(output, node));
        }
        visible.addAll(network.outputs());
        visible.addAll(taps);
    }

    /** The layout of a network; taps keep their storage to the end of a run. */
    static Layout plan(LoweredNetwork network, Set<String> taps) {
        LayoutPlanner planner = new LayoutPlanner(network, taps);
        planner.findOrders();
        planner.requestPlaces();
        planner.placeTheRest();
        return new Layout(planner.views, planner.lifetimes(taps), planner.copies, planner.inputs);
    }

    // --- natural orders -------------------------------------------------------------------------------------------

    private void findOrders() {
        for (String input : network.inputs()) {
            orders.put(input, View.channelsLast(dims.get(input).length));
        }
        for (LoweredNode node : network.nodes()) {
            for (String output : node.outputs()) {
                if (!output.isEmpty()) {
                    NodeErrors.guarded(node, () -> orders.put(output, naturalOrder(node, dims.get(output))));
                }
            }
        }
    }

    private int[] naturalOrder(LoweredNode node, int[] out) {
        return switch (LayoutRule.of(node.op())) {
            case IMAGES, RESAMPLED_IMAGES -> View.channelsLast(out.length);
            case ROWS -> View.rowMajor(out.length);
            case LIKE_INPUT -> node.op() instanceof ViewOp view ? carriedOrder(node, view, out)
                    : widestOrder(node, out.length);
        };
    }

    /** The order in which a view of its input lies; of a part it is the order of the whole. */
    private int[] carriedOrder(LoweredNode node, ViewOp view, int[] out) {
        return switch (view) {
            case ViewOp.Split _,ViewOp.Slice _,ViewOp.Broadcast _ -> widestOrder(node, out.length);
            case ViewOp.Reshape _,ViewOp.Identity _,ViewOp.Transpose _ -> {
                int[] order = orders.get(node.input(0));
                if (order == null) {
                    yield View.rowMajor(out.length);
                }
                View source = View.dense(0, dims.get(node.input(0)), order);
                yield forward(view, 0, source, out).map(View::order).orElseGet(() -> View.rowMajor(out.length));
            }
        };
    }

    /** The order of the largest input of that rank. */
    private int[] widestOrder(LoweredNode node, int rank) {
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
        for (int index = network.nodes().size() - 1; index >= 0; index--) {
            LoweredNode node = network.nodes().get(index);
            int number = index;
            switch (node.op()) {
                case LoweredOp.Concat concat ->
                    NodeErrors.guarded(node, () -> requestForConcat(number, node, concat.axis()));
                case ViewOp view -> NodeErrors.guarded(node, () -> handOn(node, view));
                case CodesOp _,LoweredOp.FloatOp _ -> {
                    // Writes wherever it is asked to.
                }
            }
        }
    }

    private void requestForConcat(int index, LoweredNode node, int axis) {
        View whole = views.computeIfAbsent(node.output(), this::fresh);
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
    private void handOn(LoweredNode node, ViewOp view) {
        View wanted = views.get(node.output());
        if (wanted == null || node.outputs().size() > 1) {
            return;
        }
        String input = node.input(0);
        Optional<View> place = backward(node, view, wanted);
        if (place.isPresent() && mayTake(input, place.get())) {
            views.put(input, place.get());
            aliased.add(node.output());
        }
    }

    private boolean mayTake(String value, View place) {
        LoweredNode producer = producers.get(value);
        if (producer == null || views.containsKey(value)) {
            return false;
        }
        return LayoutRule.of(producer.op()) != LayoutRule.IMAGES || place.channelsInnermost();
    }

    // --- forwards: places for the rest -----------------------------------------------------------------------------

    private void placeTheRest() {
        for (String input : network.inputs()) {
            views.put(input, fresh(input));
        }
        for (int index = 0; index < network.nodes().size(); index++) {
            LoweredNode node = network.nodes().get(index);
            int number = index;
            NodeErrors.guarded(node, () -> placeResults(number, node));
        }
    }

    private void placeResults(int index, LoweredNode node) {
        if (LayoutRule.of(node.op()) == LayoutRule.IMAGES) {
            straightenInputs(index, node);
        }
        for (int i = 0; i < node.outputs().size(); i++) {
            String output = node.outputs().get(i);
            if (output.isEmpty()) {
                continue;
            }
            switch (node.op()) {
                case ViewOp view -> placeView(index, node, view, i);
                case CodesOp _,LoweredOp.Concat _,LoweredOp.FloatOp _ -> views.computeIfAbsent(output, this::fresh);
            }
        }
        completeCopies(index);
    }

    /** The inputs that an operation on images reads as images: the source, and the residual of a convolution. */
    private static int[] images(LoweredOp op) {
        return switch (op) {
            case QuantizedConv _ -> new int[] {0, 1};
            case LoweredOp.FloatOp(Op.Conv _) -> new int[] {0, 3};
            case LoweredOp.FloatOp _,CodesOp _,ViewOp _,LoweredOp.Concat _ -> new int[] {0};
        };
    }

    /** Image operations read channels innermost; an input that lies otherwise is copied first. */
    private void straightenInputs(int index, LoweredNode node) {
        for (int input : images(node.op())) {
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

    private void placeView(int index, LoweredNode node, ViewOp op, int outputIndex) {
        String output = node.outputs().get(outputIndex);
        if (aliased.contains(output)) {
            return;
        }
        View source = views.get(node.input(0));
        View wanted = views.get(output);
        Optional<View> view =
                source == null ? Optional.empty() : forward(op, outputIndex, source, dims.get(output));
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
        Optional<View> place = backward(node, op, target);
        if (place.isPresent()) {
            list.add(new Layout.Copy(node.input(0), source, place.get()));
            return;
        }
        int[] sourceDims = dimsOf(node.input(0));
        View between = View.dense(newStorage(node.input(0), sourceDims), sourceDims, View.rowMajor(sourceDims.length));
        list.add(new Layout.Copy(node.input(0), source, between));
        View through = forward(op, outputIndex, between, dims.get(output))
                .orElseThrow(() -> new IllegalStateException("dense storage does not reshape: " + node.describe()));
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
    private static Optional<View> forward(ViewOp op, int outputIndex, View source, int[] out) {
        return switch (op) {
            case ViewOp.Reshape _ -> source.reshape(out);
            case ViewOp.Identity _ -> Optional.of(source);
            case ViewOp.Broadcast _ -> Optional.of(source.broadcast(out));
            case ViewOp.Transpose(List<Integer> permutation) ->
                Optional.of(source.transpose(permutation.stream().mapToInt(Integer::intValue).toArray()));
            case ViewOp.Split(int axis, List<Long> starts) ->
                Optional.of(source.slice(axis, starts.get(outputIndex), out[axis], 1));
            case ViewOp.Slice(List<ViewOp.Cut> cuts) -> {
                View part = source;
                for (ViewOp.Cut cut : cuts) {
                    part = part.slice(cut.axis(), cut.start(), out[cut.axis()], cut.step());
                }
                yield Optional.of(part);
            }
        };
    }

    /** The place of the input for which the output lies at {@code wanted}. */
    private Optional<View> backward(LoweredNode node, ViewOp op, View wanted) {
        return switch (op) {
            case ViewOp.Reshape _ -> wanted.reshape(dimsOf(node.input(0)));
            case ViewOp.Identity _ -> Optional.of(wanted);
            case ViewOp.Transpose(List<Integer> permutation) -> {
                int[] inverse = new int[wanted.rank()];
                for (int d = 0; d < inverse.length; d++) {
                    inverse[permutation.get(d)] = d;
                }
                yield Optional.of(wanted.transpose(inverse));
            }
            case ViewOp.Broadcast _,ViewOp.Split _,ViewOp.Slice _ -> Optional.empty();
        };
    }

    // --- storages --------------------------------------------------------------------------------------------------

    private int[] dimsOf(String value) {
        int[] known = dims.get(value);
        if (known != null) {
            return known;
        }
        Tensor constant = network.constants().get(value);
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
        LoweredTensor tensor = network.tensors().get(value);
        widths.add(tensor == null ? Float.BYTES : tensor.elementBytes());
        return sizes.size() - 1;
    }

    private List<Layout.Storage> lifetimes(Set<String> taps) {
        int count = network.nodes().size();
        int[] first = new int[sizes.size()];
        int[] last = new int[sizes.size()];
        Arrays.fill(first, count);
        Arrays.fill(last, -1);
        for (int index = 0; index < count; index++) {
            LoweredNode node = network.nodes().get(index);
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
        for (String input : network.inputs()) {
            touch(views.get(input), -1, first, last);
            touch(views.get(input), count, first, last);
        }
        for (String output : network.outputs()) {
            touch(views.get(output), count, first, last);
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
