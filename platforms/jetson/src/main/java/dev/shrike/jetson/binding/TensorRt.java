package dev.shrike.jetson.binding;

import dev.shrike.jetson.binding.Gpu.DeviceMemory;
import dev.shrike.jetson.binding.Gpu.Stream;
import dev.shrike.spi.BatchProfile;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * TensorRT as far as the builder and the detector need it. Calls throw {@link dev.shrike.DeviceException} with what
 * TensorRT logged last; whoever makes an object closes it, and closing twice does nothing.
 */
public interface TensorRt {
    /** Number formats of layers. */
    enum Precision {
        FP32,
        FP16,
        INT8
    }

    /** Which statistics TensorRT takes of activations. */
    enum Calibration {
        /** {@code IInt8EntropyCalibrator2}: least Kullback-Leibler divergence; the only one that DLA takes. */
        ENTROPY,
        /** {@code IInt8MinMaxCalibrator}: the largest absolute value. */
        MINMAX
    }

    /**
     * An error of the ONNX parser.
     *
     * @param node index of the node in the file, -1 if it concerns none
     * @param code name of TensorRT's error code, such as {@code "kUNSUPPORTED_NODE"}
     * @param text what TensorRT says
     */
    record ParserError(int node, String code, String text) {}

    /**
     * A layer of a parsed network.
     *
     * @param index position in the network
     * @param name taken from the ONNX node
     * @param type name of TensorRT's layer type without its k: {@code "CONVOLUTION"}
     * @param inputs names of the tensors that it reads
     * @param outputs names of the tensors that it writes
     * @param floating whether all that it writes is of floating point
     */
    record Layer(int index, String name, String type, List<String> inputs, List<String> outputs, boolean floating) {
        public Layer {
            inputs = List.copyOf(inputs);
            outputs = List.copyOf(outputs);
        }
    }

    /**
     * An input or output of an engine.
     *
     * @param name of the tensor
     * @param input whether it is an input
     * @param dims its dimensions; of a network, -1 for an open one
     * @param elementBytes bytes of one element
     * @param floating whether the elements are float32
     */
    record Port(String name, boolean input, List<Integer> dims, int elementBytes, boolean floating) {
        public Port {
            dims = List.copyOf(dims);
        }

        /** The same for a batch of so many images. */
        public Port withBatch(int images) {
            List<Integer> sizes = new ArrayList<>(dims);
            sizes.set(0, images);
            return new Port(name, input, sizes, elementBytes, floating);
        }

        /** Whether the first dimension is open. */
        public boolean hasOpenBatch() {
            return !dims.isEmpty() && dims.getFirst() < 0;
        }

        /** Bytes of all elements. */
        public long bytes() {
            return dims.stream().mapToLong(Integer::longValue).reduce(elementBytes, Math::multiplyExact);
        }
    }

    /**
     * Settings of a build that concern the whole network.
     *
     * @param workspaceBytes most device memory that a layer may take while it runs
     * @param fp16 whether layers may run in FP16
     * @param int8 whether layers may run in INT8
     * @param dlaCore the deep learning accelerator to use, with the GPU for what it cannot; -1 for none
     * @param detailed whether the engine keeps the names and formats of layers for profiling
     * @param timingCache what {@link Build#timingCache} gave for an earlier build, or empty
     */
    record Settings(
            long workspaceBytes, boolean fp16, boolean int8, int dlaCore, boolean detailed, byte[] timingCache) {}

    /** Version of the loaded library: {@code "8.5.2"}. */
    String version();

    /**
     * A new network to fill and build.
     *
     * @param log takes what TensorRT says, a line each, from any thread
     */
    Build build(Consumer<LogLine> log);

    /** An engine from its serialised form, which is trusted: TensorRT checks it, but not against malice. */
    Engine load(MemorySegment plan, int dlaCore);

    /**
     * A line of TensorRT's log.
     *
     * @param severity 0 internal error, 1 error, 2 warning, 3 information, 4 detail
     * @param text the line
     */
    record LogLine(int severity, String text) {}

    /** A network that is being built. */
    interface Build extends AutoCloseable {
        /** The parser's errors; empty if the network is complete. */
        List<ParserError> parse(MemorySegment onnx);

        /** The layers in their order. */
        List<Layer> layers();

        /** The network's inputs and outputs. */
        List<Port> ports();

        /** Number of deep learning accelerators. */
        int dlaCores();

        /** Whether the hardware has this format at more than the speed of float32. */
        boolean isFast(Precision precision);

        /** Applies these settings. To be called before the calls below. */
        void configure(Settings settings);

        /** Sizes of the batch, which a network of an open batch needs; to be called before {@link #calibrate}. */
        void batches(BatchProfile sizes);

        /** Binds a layer and what it writes to a format, which the build then must obey. */
        void require(int layer, Precision precision);

        /** Whether the accelerator of the settings can run this layer. */
        boolean canRunOnDla(int layer);

        /**
         * Lets TensorRT find ranges for INT8 by itself, from these batches; they must live until close.
         *
         * @param batch images of each batch: those of the network or, if that leaves them open, one of the sizes
         */
        void calibrate(Calibration kind, int batch, CalibrationFeed feed);

        /** Makes what was required a wish: the next {@link #serialize} may break it where nothing else can run. */
        void preferPrecisions();

        /** The engine in serialised form. Takes minutes, and cannot be interrupted. */
        byte[] serialize();

        /** What was measured so far, for a later build's settings; empty if TensorRT gives none. */
        byte[] timingCache();

        @Override
        void close();
    }

    /** Where a calibration gets its images and keeps its results. Called from within {@link Build#serialize}. */
    interface CalibrationFeed {
        /**
         * Device address of the next batch, images as float32 {@code [N, 3, H, W]} with the N of the calibration, or
         * 0 after the last one. The memory stays as it is until the next call.
         */
        long next(String input);

        /** Results of an earlier calibration of the same network and data, or an empty array. */
        byte[] cached();

        /** Keeps the results. */
        void keep(byte[] cache);
    }

    /** An engine in device memory. */
    interface Engine extends AutoCloseable {
        /** Its inputs and outputs; an open batch has the most images. */
        List<Port> ports();

        /** Sizes of the batch, if it was left open: contexts then need {@link Context#batch} first. */
        Optional<BatchProfile> batches();

        /** Number of layers after fusion. */
        int layers();

        /** What TensorRT's inspector says of the layers, as JSON; of their formats only if the engine is detailed. */
        String layersAsJson();

        /** Bytes of device memory that each context takes for activations. */
        long contextBytes();

        /**
         * State to run the engine with, for one stream at a time. The engine must outlive it. An engine of an open
         * batch has room for one at a time.
         */
        Context context();

        @Override
        void close();
    }

    /** State of one run. */
    interface Context extends AutoCloseable {
        /**
         * Sets how many images the next runs have, one of the engine's sizes. The first run after it must not be
         * recorded, and nothing that was recorded before may be submitted any more.
         */
        void batch(int images);

        /** Submits a run. {@code memory[i]} belongs to port i. */
        void enqueue(DeviceMemory[] memory, Stream stream);

        @Override
        void close();
    }
}
