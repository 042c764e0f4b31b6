package dev.shrike.jetson.engine;

import dev.shrike.UnsupportedModelException;
import dev.shrike.jetson.binding.TensorRt;
import dev.shrike.spi.Binding;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Ports of engines as bindings. */
public final class Ports {
    private Ports() {}

    /** The port in this memory, row-major without gaps. */
    public static Binding binding(TensorRt.Port port, MemorySegment memory) {
        if (!port.floating()) {
            throw new UnsupportedModelException("'" + port.name() + "' of the engine is not float32");
        }
        List<Integer> strides = new ArrayList<>();
        int stride = 1;
        for (int d = port.dims().size() - 1; d >= 0; d--) {
            if (port.dims().get(d) < 1) {
                throw new UnsupportedModelException("'" + port.name() + "' of the engine has open dimensions "
                        + port.dims());
            }
            strides.addFirst(stride);
            stride = Math.multiplyExact(stride, port.dims().get(d));
        }
        return new Binding(port.name(), port.dims(), strides, memory);
    }
}
