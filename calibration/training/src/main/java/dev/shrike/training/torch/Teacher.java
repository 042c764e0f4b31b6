package dev.shrike.training.torch;

import dev.shrike.training.DetectHead;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * A network that another one learns from, in evaluation mode. What it says of the last images stays until it is shown
 * others. Confined to one thread; closes its network.
 */
final class Teacher implements AutoCloseable {
    private final TorchNetwork network;
    private final DetectHead head;
    private final List<String> features;
    private List<Tensor> heads = List.of();
    private List<Tensor> inside = List.of();

    /**
     * A teacher.
     *
     * @param network whose outputs are the values of its head
     * @param features values inside that are learned from too
     */
    Teacher(TorchNetwork network, DetectHead head, List<String> features) {
        this.network = network;
        this.head = head;
        this.features = List.copyOf(features);
        network.train(false);
        network.keep(features);
        network.parameters().values().forEach(parameter -> parameter.set_requires_grad(false));
    }

    DetectHead head() {
        return head;
    }

    List<String> features() {
        return features;
    }

    /** What it says of the last images, in the order of {@link DetectHead#outputs}. */
    List<Tensor> heads() {
        return heads;
    }

    /** Its {@link #features} of the last images. */
    List<Tensor> inside() {
        return inside;
    }

    /** Shows it images: bytes, or floats from 0 to 1. */
    void show(Tensor images) {
        release();
        try (PointerScope _ = new PointerScope()) {
            Tensor floats = images.is_floating_point() ? images
                    : images.to(torch.ScalarType.Float).div(new Scalar(255));
            heads = kept(network.forward(floats));
            List<Tensor> values = new ArrayList<>();
            features.forEach(name -> values.add(network.value(name)));
            inside = kept(values);
        }
    }

    private static List<Tensor> kept(List<Tensor> values) {
        return values.stream().map(value -> {
            Tensor own = value.detach();
            own.retainReference();
            return own;
        }).toList();
    }

    private void release() {
        heads.forEach(Tensor::releaseReference);
        inside.forEach(Tensor::releaseReference);
        heads = List.of();
        inside = List.of();
    }

    @Override
    public void close() {
        release();
        network.close();
    }
}
