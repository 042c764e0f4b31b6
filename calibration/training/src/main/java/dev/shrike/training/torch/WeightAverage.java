package dev.shrike.training.torch;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * The exponential moving average of parameters and statistics, which is what is measured and kept (Tarvainen and
 * Valpola
 * 2017). Its decay grows with the steps, {@code decay (1 - e^(-steps / 2000))}, as in YOLOv5.
 */
final class WeightAverage {
    private static final double DECAY = 0.9999;
    private static final double RAMP = 2000;

    private final TorchNetwork network;
    private final Map<String, Tensor> averages = new LinkedHashMap<>();
    private long steps;

    WeightAverage(TorchNetwork network) {
        this.network = network;
        try (PointerScope _ = new PointerScope()) {
            of(network).forEach((name, tensor) -> {
                Tensor copy = tensor.detach().clone();
                copy.retainReference();
                averages.put(name, copy);
            });
        }
    }

    private static Map<String, Tensor> of(TorchNetwork network) {
        Map<String, Tensor> all = new LinkedHashMap<>(network.parameters());
        all.putAll(network.buffers());
        return all;
    }

    Map<String, Tensor> averages() {
        return averages;
    }

    long steps() {
        return steps;
    }

    void steps(long done) {
        steps = done;
    }

    /** Takes in the network after a step. */
    void update() {
        steps++;
        double share = 1 - DECAY * (1 - Math.exp(-steps / RAMP));
        try (PointerScope _ = new PointerScope(); NoGradGuard _ = new NoGradGuard()) {
            of(network).forEach((name, tensor) -> averages.get(name).lerp_(tensor.detach(), Tensors.scalar(share)));
        }
    }

    /** What is computed while the network has the averages in place of its own parameters. */
    <T> T applied(Supplier<T> work) {
        try (PointerScope _ = new PointerScope(); NoGradGuard _ = new NoGradGuard()) {
            Map<String, Tensor> own = new LinkedHashMap<>();
            of(network).forEach((name, tensor) -> {
                own.put(name, tensor.detach().clone());
                tensor.detach().copy_(averages.get(name));
            });
            try {
                return work.get();
            } finally {
                of(network).forEach((name, tensor) -> tensor.detach().copy_(own.get(name)));
            }
        }
    }
}
