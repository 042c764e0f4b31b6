package dev.shrike.training.torch;

import dev.shrike.graph.Shape;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Numbers of the graph as tensors of PyTorch, and back. Bits are kept. */
final class Tensors {
    private Tensors() {}

    /** A tensor with the values of a constant, as float32. */
    static Tensor of(dev.shrike.graph.Tensor constant) {
        return of(constant.toFloats(), constant.shape().toArray());
    }

    /** A tensor that copies the values. */
    static Tensor of(float[] values, long... dims) {
        if (values.length == 0) {
            return torch.zeros(dims);
        }
        try (FloatPointer pointer = new FloatPointer(values); Tensor borrowed = torch.from_blob(pointer, dims)) {
            return borrowed.clone();
        }
    }

    /** The values of a float32 tensor in row-major order. */
    static float[] toFloats(Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.numel())];
        if (values.length == 0) {
            return values;
        }
        try (Tensor detached = tensor.detach(); Tensor local = detached.cpu(); Tensor dense = local.contiguous()) {
            FloatPointer pointer = dense.data_ptr_float();
            pointer.get(values);
        }
        return values;
    }

    /** A constant of the graph with the values of a tensor. */
    static dev.shrike.graph.Tensor toConstant(Tensor tensor, Shape shape) {
        return dev.shrike.graph.Tensor.ofFloats(shape, toFloats(tensor));
    }

    static Scalar scalar(double value) {
        return new Scalar(value);
    }
}
