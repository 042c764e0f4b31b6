package dev.shrike.jetson.binding;

import dev.shrike.jetson.binding.TensorRt.Calibration;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.tensorrt.nvinfer.IInt8Calibrator;
import org.bytedeco.tensorrt.nvinfer.IInt8EntropyCalibrator2;
import org.bytedeco.tensorrt.nvinfer.IInt8MinMaxCalibrator;

/** Calibrators in Java, which TensorRT calls through their virtual tables. */
@SuppressWarnings("rawtypes") // the signatures of the binding
final class Calibrators {
    /** What calibrators call the size of a batch: one tensor of the network's input, whose dims hold the batch. */
    private static final int EXPLICIT_BATCHES = 1;

    private Calibrators() {}

    /** One that asks the callbacks; the caller keeps it as long as C++ may call it, and closes it. */
    static IInt8Calibrator of(Calibration kind, CalibrationCallbacks callbacks) {
        return switch (kind) {
            case ENTROPY -> new EntropyCalibrator(callbacks);
            case MINMAX -> new MinMaxCalibrator(callbacks);
        };
    }

    private static final class EntropyCalibrator extends IInt8EntropyCalibrator2 {
        private final CalibrationCallbacks callbacks;

        private EntropyCalibrator(CalibrationCallbacks callbacks) {
            this.callbacks = callbacks;
        }

        @Override
        public int getBatchSize() {
            return EXPLICIT_BATCHES;
        }

        @Override
        public boolean getBatch(PointerPointer bindings, PointerPointer names, int count) {
            return callbacks.next(bindings, names, count);
        }

        @Override
        public Pointer readCalibrationCache(LongPointer length) {
            return callbacks.cached(length);
        }

        @Override
        public void writeCalibrationCache(Pointer bytes, long length) {
            callbacks.keep(bytes, length);
        }
    }

    private static final class MinMaxCalibrator extends IInt8MinMaxCalibrator {
        private final CalibrationCallbacks callbacks;

        private MinMaxCalibrator(CalibrationCallbacks callbacks) {
            this.callbacks = callbacks;
        }

        @Override
        public int getBatchSize() {
            return EXPLICIT_BATCHES;
        }

        @Override
        public boolean getBatch(PointerPointer bindings, PointerPointer names, int count) {
            return callbacks.next(bindings, names, count);
        }

        @Override
        public Pointer readCalibrationCache(LongPointer length) {
            return callbacks.cached(length);
        }

        @Override
        public void writeCalibrationCache(Pointer bytes, long length) {
            callbacks.keep(bytes, length);
        }
    }
}
