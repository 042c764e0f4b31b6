package dev.shrike.training.torch;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/** Tensors from arrays and back, and arithmetic with numbers. */
final class TensorMath {
    private TensorMath() {}

    /** Unsigned bytes. */
    static Tensor ofBytes(byte[] values, long... shape) {
        if (values.length == 0) {
            return torch.zeros(shape, new TensorOptions(torch.ScalarType.Byte));
        }
        try (BytePointer pointer = new BytePointer(values)) {
            return torch.from_blob(pointer, shape, new TensorOptions(torch.ScalarType.Byte)).clone();
        }
    }

    static Tensor ofFloats(float[] values, long... shape) {
        if (values.length == 0) {
            return torch.zeros(shape, new TensorOptions(torch.ScalarType.Float));
        }
        try (FloatPointer pointer = new FloatPointer(values)) {
            return torch.from_blob(pointer, shape, new TensorOptions(torch.ScalarType.Float)).clone();
        }
    }

    static Tensor ofLongs(long... values) {
        if (values.length == 0) {
            return torch.zeros(new long[] {0}, new TensorOptions(torch.ScalarType.Long));
        }
        try (LongPointer pointer = new LongPointer(values)) {
            return torch.from_blob(pointer, new long[] {values.length}, new TensorOptions(torch.ScalarType.Long))
                    .clone();
        }
    }

    /** The same tensor where it is on the device already, else a copy there. */
    static Tensor on(Device device, Tensor tensor) {
        return device.is_cpu() ? tensor : tensor.to(device, tensor.scalar_type());
    }

    /**
     * Values from the host with the type of another tensor and where it is. A GPU goes on meanwhile; the values are
     * taken before this returns.
     */
    static Tensor onto(Tensor values, Tensor like) {
        return values.to(like, true, false, new MemoryFormatOptional());
    }

    /** All elements in row-major order. */
    static float[] floats(Tensor tensor) {
        Tensor plain = tensor.detach().to(torch.ScalarType.Float).cpu().contiguous();
        float[] values = new float[Math.toIntExact(plain.numel())];
        if (values.length > 0) {
            plain.data_ptr_float().get(values);
        }
        return values;
    }

    static Tensor mul(Tensor tensor, double factor) {
        return tensor.mul(new Scalar(factor));
    }

    static Tensor add(Tensor tensor, double summand) {
        return tensor.add(new Scalar(summand));
    }

    /** {@code value - tensor}. */
    static Tensor from(double value, Tensor tensor) {
        return tensor.neg().add(new Scalar(value));
    }

    /** Values from {@code low} up to {@code high}; the gradient of others is 0. */
    static Tensor clamp(Tensor tensor, double low, double high) {
        return tensor.clamp_min(new Scalar(low)).clamp_max(new Scalar(high));
    }

    static Tensor atLeast(Tensor tensor, double low) {
        return tensor.clamp_min(new Scalar(low));
    }

    /** Binary cross entropy of logits, element by element: {@code log(1 + e^x) - x t}. */
    static Tensor crossEntropy(Tensor logits, Tensor targets) {
        return torch.softplus(logits).sub(logits.mul(targets));
    }

    /** What the first does forwards with the gradient of the second: the straight-through estimator. */
    static Tensor straightThrough(Tensor forwards, Tensor backwards) {
        return backwards.add(forwards.sub(backwards).detach());
    }
}
