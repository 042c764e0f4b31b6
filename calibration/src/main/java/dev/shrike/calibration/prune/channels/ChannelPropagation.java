package dev.shrike.calibration.prune.channels;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Follows channels from the layers that make them through the nodes of a graph, and ties those that can only be removed
 * together (the dependency graph of Fang et al. 2023, "DepGraph", here on single channels). What an operation does to
 * its axes decides, never a name. An operation whose axes are not known pins what it reads: its channels stay.
 *
 * <p>Constants are followed like values, so that weights, biases and statistics are cut along the same channels.
 */
final class ChannelPropagation {
    private final Graph graph;
    private final Map<String, ValueInfo> infos;
    private final ChannelUnits units = new ChannelUnits();
    private final ChannelAxes axes = new ChannelAxes();
    private final Map<Integer, Node> makers = new HashMap<>();

    ChannelPropagation(Graph graph, Map<String, ValueInfo> infos) {
        this.graph = graph;
        this.infos = infos;
    }

    /** Follows all nodes; then {@link #units}, {@link #axes} and {@link #makers} hold the result. */
    ChannelPropagation run() {
        for (Node node : graph.nodes()) {
            follow(node);
        }
        Node end = new Node("", new Op.Identity(), List.of(), List.of());
        for (ValueInfo output : graph.outputs()) {
            for (int[] channels : axes.all(output.name(), output.shape())) {
                units.pin(channels, end);
            }
        }
        return this;
    }

    ChannelUnits units() {
        return units;
    }

    ChannelAxes axes() {
        return axes;
    }

    /** The layer that makes each channel. */
    Map<Integer, Node> makers() {
        return makers;
    }

    private void follow(Node node) {
        switch (node.op()) {
            case Op.Conv conv -> convolution(node, conv);
            case Op.Gemm gemm -> gemm(node, gemm);
            case Op.MatMul _ -> matMul(node);
            case Op.BatchNormalization _ -> normalization(node);
            case Op.Unary _,Op.Cast _,Op.Identity _,Op.Clip _ -> carry(node, 0, axis -> axis);
            case Op.Binary _ -> broadcast(node, List.of(node.input(0), node.input(1)));
            case Op.Where _ -> broadcast(node, node.inputs());
            case Op.Softmax softmax -> softmax(node, softmax.axis());
            case Op.MaxPool _,Op.AveragePool _,Op.GlobalAveragePool _,Op.Resize _ -> spatial(node);
            case Op.Pad _ -> pad(node);
            case Op.Reduce reduce -> reduce(node, reduce);
            case Op.Concat concat -> concat(node, concat.axis());
            case Op.Split split -> split(node, split.axis());
            case Op.Slice _ -> slice(node);
            case Op.Reshape _,Op.Flatten _,Op.Squeeze _,Op.Unsqueeze _ -> reshape(node);
            case Op.Transpose transpose -> transpose(node, transpose.permutation());
            case Op.Expand _ -> expand(node);
            default -> pinInputs(node);
        }
    }

    private Shape shape(String value) {
        Tensor constant = graph.constants().get(value);
        return constant != null ? constant.shape() : infos.get(value).shape();
    }

    private boolean isConstant(String value) {
        return graph.constants().containsKey(value);
    }

    private void pinInputs(Node node) {
        for (String input : node.inputs()) {
            if (!input.isEmpty()) {
                for (int[] channels : axes.all(input, shape(input))) {
                    units.pin(channels, node);
                }
            }
        }
    }

    private void pinFrom(Node node, int first) {
        String x = node.input(0);
        for (int axis = first; axis < shape(x).rank(); axis++) {
            units.pin(axes.get(x, axis), node);
        }
    }

    private void set(String value, int axis, int[] channels) {
        if (channels != null && !value.isEmpty()) {
            axes.set(value, shape(value).rank(), axis, channels);
        }
    }

    /** Ties an axis of a value to these channels; one without channels of its own takes them over if it is constant. */
    private int[] tie(Node node, String value, int axis, int[] channels) {
        int[] own = axes.get(value, axis);
        if (own == null && channels != null && isConstant(value)) {
            set(value, axis, channels);
            return channels;
        }
        return tie(node, own, channels);
    }

    /** Ties channels one by one; where one side has none the other one stays. */
    private int[] tie(Node node, int[] a, int[] b) {
        if (a == null || b == null) {
            units.pin(a, node);
            units.pin(b, node);
            return a == null ? b : a;
        }
        for (int i = 0; i < a.length; i++) {
            units.tie(a[i], b[i]);
        }
        return a;
    }

    private void convolution(Node node, Op.Conv conv) {
        String x = node.input(0);
        String weights = node.input(1);
        pinFrom(node, 2);
        if (!isConstant(weights) || node.hasInput(3)) {
            pinInputs(node);
            return;
        }
        int[] in = axes.get(x, 1);
        int outputs = Math.toIntExact(shape(weights).dim(0));
        int inputs = Math.toIntExact(shape(x).dim(1));
        int group = conv.group();
        int[] out = group == 1 ? ordinary(node, weights, in, outputs)
                : group == inputs ? depthwise(node, weights, in, outputs)
                        : grouped(node, weights, in, outputs, inputs, group);
        if (node.hasInput(2)) {
            tie(node, node.input(2), 0, out);
        }
        set(node.output(), 1, out);
    }

    private int[] ordinary(Node node, String weights, int[] in, int outputs) {
        tie(node, weights, 1, in);
        int[] own = axes.get(weights, 0);
        int[] out = own == null ? units.fresh(outputs) : own;
        set(weights, 0, out);
        for (int channel : out) {
            makers.put(channel, node);
        }
        return out;
    }

    /** Each input channel has outputs of its own, which go with it. */
    private int[] depthwise(Node node, String weights, int[] in, int outputs) {
        if (in == null) {
            return null;
        }
        int each = outputs / in.length;
        int[] out = new int[outputs];
        for (int i = 0; i < outputs; i++) {
            out[i] = in[i / each];
        }
        return tie(node, weights, 0, out);
    }

    /** Channel j of each group goes with channel j of the others, so that groups stay equal. */
    private int[] grouped(Node node, String weights, int[] in, int outputs, int inputs, int group) {
        int eachIn = inputs / group;
        if (in != null) {
            for (int i = eachIn; i < inputs; i++) {
                units.tie(in[i % eachIn], in[i]);
            }
            tie(node, weights, 1, Arrays.copyOf(in, eachIn));
        }
        int eachOut = outputs / group;
        int[] first = units.fresh(eachOut);
        int[] out = new int[outputs];
        for (int i = 0; i < outputs; i++) {
            out[i] = first[i % eachOut];
            makers.put(out[i], node);
        }
        return tie(node, weights, 0, out);
    }

    private void gemm(Node node, Op.Gemm gemm) {
        String a = node.input(0);
        String b = node.input(1);
        tieContraction(node, a, gemm.transA() ? 0 : 1, b, gemm.transB() ? 1 : 0);
        set(node.output(), 0, axes.get(a, gemm.transA() ? 1 : 0));
        set(node.output(), 1, made(node, b, gemm.transB() ? 0 : 1));
        if (node.hasInput(2)) {
            tieBroadcast(node, node.input(2), shape(node.output()));
        }
    }

    private void matMul(Node node) {
        String a = node.input(0);
        String b = node.input(1);
        Shape left = shape(a);
        Shape right = shape(b);
        if (left.rank() < 2 || right.rank() < 2) {
            pinInputs(node);
            return;
        }
        tieContraction(node, a, -1, b, -2);
        Shape out = shape(node.output());
        for (int axis = 0; axis < out.rank() - 2; axis++) {
            int[] channels = null;
            for (String operand : List.of(a, b)) {
                int own = axis - out.rank() + shape(operand).rank();
                channels = own < 0 ? channels : joined(node, channels, operand, own, out.dim(axis));
            }
            set(node.output(), axis, channels);
        }
        set(node.output(), -2, axes.get(a, -2));
        set(node.output(), -1, made(node, b, -1));
    }

    private void tieContraction(Node node, String a, int axisA, String b, int axisB) {
        int[] left = axes.get(a, axisA);
        int[] right = axes.get(b, axisB);
        if (left != null) {
            tie(node, b, axisB, left);
        } else if (right != null) {
            tie(node, a, axisA, right);
        }
    }

    /** The channels that the columns of a matrix make: of their own, if the matrix is constant. */
    private int[] made(Node node, String matrix, int axis) {
        int[] own = axes.get(matrix, axis);
        if (own != null || !isConstant(matrix)) {
            return own;
        }
        int[] fresh = units.fresh(Math.toIntExact(shape(matrix).dim(axis)));
        for (int channel : fresh) {
            makers.put(channel, node);
        }
        set(matrix, axis, fresh);
        return fresh;
    }

    private void normalization(Node node) {
        String x = node.input(0);
        pinFrom(node, 2);
        int[] channels = axes.get(x, 1);
        if (channels != null) {
            for (int i = 1; i < 5; i++) {
                tie(node, node.input(i), 0, channels);
            }
        }
        set(node.output(), 1, channels);
    }

    /** Where an axis of the input goes. */
    @FunctionalInterface
    private interface AxisMap {
        /** The axis of the output, or -1 where there is none. */
        int to(int axis);
    }

    private void carry(Node node, int first, AxisMap map) {
        String x = node.input(0);
        for (int axis = first; axis < shape(x).rank(); axis++) {
            int[] channels = axes.get(x, axis);
            int to = map.to(axis);
            if (channels != null && to >= 0) {
                set(node.output(), to, channels);
            } else {
                units.pin(channels, node);
            }
        }
    }

    private void softmax(Node node, int along) {
        String x = node.input(0);
        // Each result depends on all elements of that axis.
        units.pin(axes.get(x, along), node);
        carry(node, 0, axis -> axis);
    }

    private void spatial(Node node) {
        pinFrom(node, 2);
        if (shape(node.input(0)).dim(1) != shape(node.output()).dim(1)) {
            pinInputs(node);
            return;
        }
        carry(node, 0, axis -> axis < 2 ? axis : -1);
    }

    private void pad(Node node) {
        String x = node.input(0);
        Shape out = shape(node.output());
        Shape in = shape(x);
        carry(node, 0, axis -> in.dim(axis) == out.dim(axis) ? axis : -1);
    }

    private void reduce(Node node, Op.Reduce reduce) {
        String x = node.input(0);
        int rank = shape(x).rank();
        List<Integer> reduced = new ArrayList<>();
        // Without axes all of them are reduced; a left-out input is no constant either.
        if (!isConstant(node.input(1))) {
            pinInputs(node);
            return;
        }
        for (long axis : graph.constants().get(node.input(1)).toLongs()) {
            reduced.add((int) (axis < 0 ? axis + rank : axis));
        }
        carry(node, 0, axis -> {
            if (reduced.contains(axis)) {
                return -1;
            }
            return reduce.keepDims() ? axis : axis - (int) reduced.stream().filter(r -> r < axis).count();
        });
    }

    private void broadcast(Node node, List<String> operands) {
        Shape out = shape(node.output());
        for (int axis = 0; axis < out.rank(); axis++) {
            int[] channels = null;
            for (String operand : operands) {
                int own = axis - out.rank() + shape(operand).rank();
                channels = own < 0 ? channels : joined(node, channels, operand, own, out.dim(axis));
            }
            if (channels != null) {
                set(node.output(), axis, channels);
                tieOthers(node, operands, axis, out, channels);
            }
        }
    }

    /** These channels together with those of an operand's axis. */
    private int[] joined(Node node, int[] channels, String operand, int axis, long size) {
        int[] own = axes.get(operand, axis);
        if (own != null && own.length != size) {
            // One channel serves all positions.
            units.pin(own, node);
            return channels;
        }
        return own == null ? channels : channels == null ? own : tie(node, channels, own);
    }

    /** Operands as long as the result take part: constants are cut as well, other values keep the channels here. */
    private void tieOthers(Node node, List<String> operands, int axis, Shape out, int[] channels) {
        for (String operand : operands) {
            int own = axis - out.rank() + shape(operand).rank();
            if (own >= 0 && shape(operand).dim(own) == out.dim(axis) && axes.get(operand, own) == null
                    && (out.dim(axis) > 1 || !isConstant(operand))) {
                tie(node, operand, own, channels);
            }
        }
    }

    private void tieBroadcast(Node node, String operand, Shape out) {
        for (int axis = 0; axis < out.rank(); axis++) {
            int own = axis - out.rank() + shape(operand).rank();
            int[] channels = axes.get(node.output(), axis);
            if (own >= 0 && channels != null && shape(operand).dim(own) == out.dim(axis)) {
                tie(node, operand, own, channels);
            }
        }
    }

    private void concat(Node node, int given) {
        Shape out = shape(node.output());
        int along = given < 0 ? given + out.rank() : given;
        for (int axis = 0; axis < out.rank(); axis++) {
            if (axis == along) {
                set(node.output(), axis, joinedEnds(node, axis));
            } else {
                int[] channels = null;
                for (String input : node.inputs()) {
                    channels = joined(node, channels, input, axis, out.dim(axis));
                }
                if (channels != null) {
                    set(node.output(), axis, channels);
                    tieOthers(node, node.inputs(), axis, out, channels);
                }
            }
        }
    }

    /** The channels of all inputs one after another; an input without any gets some that stay. */
    private int[] joinedEnds(Node node, int axis) {
        if (node.inputs().stream().allMatch(input -> axes.get(input, axis) == null)) {
            return null;
        }
        List<int[]> parts = new ArrayList<>();
        for (String input : node.inputs()) {
            int[] own = axes.get(input, axis);
            if (own == null) {
                own = units.fresh(Math.toIntExact(shape(input).dim(axis)));
                units.pin(own, node);
            }
            parts.add(own);
        }
        return parts.stream().flatMapToInt(Arrays::stream).toArray();
    }

    private void split(Node node, int given) {
        String x = node.input(0);
        int rank = shape(x).rank();
        int along = given < 0 ? given + rank : given;
        if (node.hasInput(1) && !isConstant(node.input(1))) {
            pinInputs(node);
            return;
        }
        int from = 0;
        for (int i = 0; i < node.outputs().size(); i++) {
            String output = node.outputs().get(i);
            int size = Math.toIntExact(node.hasInput(1) ? graph.constants().get(node.input(1)).longAt(i)
                    : Math.ceilDiv(shape(x).dim(along), node.outputs().size()));
            for (int axis = 0; axis < rank && !output.isEmpty(); axis++) {
                int[] channels = axes.get(x, axis);
                set(output, axis, channels == null || axis != along ? channels
                        : Arrays.copyOfRange(channels, from, Math.min(from + size, channels.length)));
            }
            from += size;
        }
    }

    private void slice(Node node) {
        String x = node.input(0);
        for (int i = 1; i < node.inputs().size(); i++) {
            if (node.hasInput(i) && !isConstant(node.input(i))) {
                pinInputs(node);
                return;
            }
        }
        SliceRange[] ranges = SliceRange.of(graph, node, shape(x));
        for (int axis = 0; axis < ranges.length; axis++) {
            int[] channels = axes.get(x, axis);
            if (channels == null) {
                continue;
            }
            SliceRange range = ranges[axis];
            if (range.step() != 1) {
                units.pin(channels, node);
            }
            int[] taken = new int[range.count()];
            for (int i = 0; i < taken.length; i++) {
                taken[i] = channels[range.start() + i * range.step()];
            }
            set(node.output(), axis, taken);
        }
    }

    private void reshape(Node node) {
        String x = node.input(0);
        Shape from = shape(x);
        int[][] channels = axes.all(x, from);
        if (Arrays.stream(channels).allMatch(java.util.Objects::isNull)) {
            return;
        }
        int[][] result = ReshapedAxes.of(from, shape(node.output()), channels, units);
        if (result == null || node.op() instanceof Op.Reshape && !isConstant(node.input(1))) {
            pinInputs(node);
            return;
        }
        for (int axis = 0; axis < result.length; axis++) {
            set(node.output(), axis, result[axis]);
        }
    }

    private void transpose(Node node, List<Integer> permutation) {
        String x = node.input(0);
        int rank = shape(x).rank();
        for (int axis = 0; axis < rank; axis++) {
            set(node.output(), axis,
                    axes.get(x, permutation.isEmpty() ? rank - 1 - axis : permutation.get(axis)));
        }
    }

    private void expand(Node node) {
        String x = node.input(0);
        Shape in = shape(x);
        Shape out = shape(node.output());
        int shift = out.rank() - in.rank();
        if (!isConstant(node.input(1))) {
            pinInputs(node);
            return;
        }
        carry(node, 0, axis -> in.dim(axis) == out.dim(axis + shift) ? axis + shift : -1);
    }
}
