package dev.shrike.jetson.binding;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.tensorrt.global.nvinfer;
import org.bytedeco.tensorrt.nvinfer.Dims32;

/** Dimensions and number formats of tensors, from the binding's. */
final class TensorTypes {
    private TensorTypes() {}

    static List<Integer> dims(Dims32 dims) {
        List<Integer> list = new ArrayList<>();
        for (int i = 0; i < dims.nbDims(); i++) {
            list.add(dims.d(i));
        }
        return list;
    }

    /** The same dimensions with another first one; the caller closes them. */
    static Dims32 withBatch(Dims32 dims, int images) {
        Dims32 sizes = new Dims32();
        sizes.nbDims(dims.nbDims());
        for (int i = 0; i < dims.nbDims(); i++) {
            sizes.d(i, i == 0 ? images : dims.d(i));
        }
        return sizes;
    }

    static boolean isFloating(nvinfer.DataType type) {
        return type == nvinfer.DataType.kFLOAT || type == nvinfer.DataType.kHALF;
    }

    static int bytes(nvinfer.DataType type) {
        return BindingEnums.bytes(type.value);
    }
}
