package dev.shrike.graph;

import dev.shrike.ModelException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What every graph must obey, checked whenever one is made. */
final class GraphCheck {
    private GraphCheck() {}

    static void check(List<ValueInfo> inputs, List<ValueInfo> outputs, List<Node> nodes,
            Map<String, Tensor> constants) {
        Set<String> written = new HashSet<>(constants.keySet());
        for (ValueInfo input : inputs) {
            if (!written.add(input.name())) {
                throw new ModelException("value '" + input.name() + "' is given twice: as an input and as a constant"
                        + " or another input");
            }
        }
        for (Node node : nodes) {
            for (String name : node.inputs()) {
                if (!name.isEmpty() && !written.contains(name)) {
                    throw new ModelException("node '" + node.name() + "' reads '" + name
                            + "', which no input, constant or earlier node gives");
                }
            }
            for (String name : node.outputs()) {
                if (!name.isEmpty() && !written.add(name)) {
                    throw new ModelException("node '" + node.name() + "' writes '" + name
                            + "', which something else gives already");
                }
            }
        }
        for (ValueInfo output : outputs) {
            if (!written.contains(output.name())) {
                throw new ModelException("output '" + output.name() + "' is given by no node");
            }
        }
    }
}
