package dev.shrike.graph.passes;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Links;
import dev.shrike.graph.Node;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Op;
import dev.shrike.graph.TensorType;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.shapes.LayoutShapes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Moves a Pad with zeros into the convolution that follows it. */
public final class FoldPadding implements GraphPass {
    @Override
    public Graph apply(Graph graph) {
        Links links = new Links(graph);
        Map<String, ValueInfo> infos = ShapeInference.infer(graph);
        List<Node> nodes = new ArrayList<>();
        boolean changed = false;
        for (Node node : graph.nodes()) {
            Optional<Node> merged = node.op() instanceof Op.Conv conv
                    ? merge(node, conv, graph, links, infos) : Optional.empty();
            changed |= merged.isPresent();
            nodes.add(merged.orElse(node));
        }
        return changed ? graph.withNodes(nodes) : graph;
    }

    private static Optional<Node> merge(Node node, Op.Conv conv, Graph graph, Links links,
            Map<String, ValueInfo> infos) {
        Node pad = links.writer(node.input(0));
        Window window = conv.window();
        boolean explicit = window.autoPad() == Window.AutoPad.EXPLICIT || window.autoPad() == Window.AutoPad.VALID;
        if (pad == null || !(pad.op() instanceof Op.Pad(Op.Pad.Mode mode)) || mode != Op.Pad.Mode.CONSTANT || !explicit
                || !links.isInner(pad.output())
                || (pad.hasInput(2) && links.scalar(pad.input(2)) != 0)) {
            return Optional.empty();
        }
        NodeView view = new NodeView(pad, name -> new TensorType(infos.get(name).type(), infos.get(name).shape()),
                graph.constants()::get);
        Optional<long[]> pads = LayoutShapes.pads(view);
        if (pads.isEmpty() || view.shape(0).rank() != 4 || !onlyAround(pads.get())) {
            return Optional.empty();
        }
        Window own = window.resolve(1, 1);
        long[] p = pads.get();
        if (Math.max(Math.max(own.padTop() + p[2], own.padLeft() + p[3]),
                Math.max(own.padBottom() + p[6], own.padRight() + p[7])) > Window.LARGEST) {
            return Optional.empty();
        }
        Window wider = new Window(own.kernelHeight(), own.kernelWidth(), own.strideHeight(), own.strideWidth(),
                (int) (own.padTop() + p[2]), (int) (own.padLeft() + p[3]), (int) (own.padBottom() + p[6]),
                (int) (own.padRight() + p[7]), own.dilationHeight(), own.dilationWidth(), Window.AutoPad.EXPLICIT);
        List<String> inputs = new ArrayList<>(node.inputs());
        inputs.set(0, pad.input(0));
        return Optional.of(node.withOp(new Op.Conv(wider, conv.group(), conv.activation())).withInputs(inputs));
    }

    /** Whether rows and columns are added, and nothing else. */
    private static boolean onlyAround(long[] pads) {
        for (int i = 0; i < pads.length; i++) {
            if (pads[i] < 0 || pads[i] > Window.LARGEST || (i % 4 < 2 && pads[i] != 0)) {
                return false;
            }
        }
        return true;
    }
}
