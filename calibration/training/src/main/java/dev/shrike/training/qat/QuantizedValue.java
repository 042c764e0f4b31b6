package dev.shrike.training.qat;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Values of a network that have the same codes.
 *
 * @param names of the values, the earliest first
 * @param how the codes that were given
 * @param learned whether the step is learned; that of the network's input is not, since images are bytes
 */
public record QuantizedValue(List<String> names, Quantization how, boolean learned) {
    public QuantizedValue {
        names = List.copyOf(names);
    }

    /** The quantised values of a graph. */
    static List<QuantizedValue> of(Graph graph) {
        Set<String> inputs = graph.inputs().stream().map(ValueInfo::name).collect(Collectors.toSet());
        List<String> order = new ArrayList<>();
        graph.inputs().forEach(input -> order.add(input.name()));
        graph.nodes().forEach(node -> order.addAll(node.outputs()));
        Map<Quantization, List<String>> groups = new LinkedHashMap<>();
        for (String name : order) {
            Quantization how = graph.quantization().get(name);
            if (how == null || !how.isPerTensor()) {
                continue;
            }
            groups.computeIfAbsent(groups.keySet().stream().filter(how::isSameAs).findFirst().orElse(how),
                    _ -> new ArrayList<>()).add(name);
        }
        List<QuantizedValue> values = new ArrayList<>();
        groups.forEach((how, names) -> values.add(new QuantizedValue(names, how,
                names.stream().noneMatch(inputs::contains))));
        return List.copyOf(values);
    }

    /** Name of the logarithm of the step, as a factor of the given one. */
    public String step() {
        return names.getFirst() + ".step";
    }

    /** The same value with codes of so many bits, whose range stays that of the given ones but for the last step. */
    public QuantizedValue withBits(int bits) {
        return bits == how.bits() ? this : new QuantizedValue(names, CodeWidth.of(how, bits), learned);
    }

    /** The codes with the step that was learned. */
    Quantization quantization(Function<String, float[]> values) {
        if (!learned) {
            return how;
        }
        float scale = how.scale().floatAt(0) * (float) Math.exp(values.apply(step())[0]);
        return new Quantization(Tensor.scalar(scale), how.zeroPoint(), how.bits(), how.signed(), how.narrow(),
                how.axis());
    }
}
