package dev.shrike.cpu.lowering;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.kernels.LookupTable;
import dev.shrike.graph.quantization.QuantParams;
import dev.shrike.graph.quantization.QuantizedAdd;
import java.util.Map;

/**
 * A graph in which every value is either real or codes, with explicit steps between the two.
 *
 * @param graph the nodes; a value is codes if {@code graph.quantization()} names it
 * @param types type and shape of every value, that of codes as of the floats they stand for
 * @param products integer convolutions and matrix products, by node; like the others by its identity, since the names
 *     of nodes are for messages and nothing in an engine may depend on what a file calls them
 * @param tables functions of codes (nodes with the operation Unary or Cast to UINT8)
 * @param sums sums of codes (nodes with the operation Binary)
 * @param conversions codes on one side of QuantizeLinear and DequantizeLinear nodes; a DequantizeLinear
 *     that is not among them reads what a DynamicQuant writes: codes whose scale and zero point it finds itself
 */
public record LoweredGraph(
        Graph graph,
        Map<String, ValueInfo> types,
        Map<Node, QuantizedConv> products,
        Map<Node, LookupTable> tables,
        Map<Node, QuantizedAdd> sums,
        Map<Node, QuantParams> conversions) {
    /** A graph without codes. */
    public static LoweredGraph real(Graph graph) {
        return new LoweredGraph(graph, ShapeInference.infer(graph), Map.of(), Map.of(), Map.of(), Map.of());
    }
}
