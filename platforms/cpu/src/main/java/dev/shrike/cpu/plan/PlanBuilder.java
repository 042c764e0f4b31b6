package dev.shrike.cpu.plan;

import dev.shrike.DeviceException;
import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.cpu.binding.BoundedPointer;
import dev.shrike.cpu.binding.MachineMemory;
import dev.shrike.cpu.binding.NativeLibrary;
import dev.shrike.cpu.binding.View;
import dev.shrike.cpu.lowering.CodesOp;
import dev.shrike.cpu.lowering.LoweredNetwork;
import dev.shrike.cpu.lowering.LoweredNode;
import dev.shrike.cpu.lowering.LoweredOp;
import dev.shrike.cpu.lowering.NodeErrors;
import dev.shrike.cpu.lowering.QuantizedLowering;
import dev.shrike.cpu.lowering.SplitBeforeUnary;
import dev.shrike.cpu.lowering.ViewOp;
import dev.shrike.cpu.steps.ConvLayer;
import dev.shrike.cpu.steps.CpuSettings;
import dev.shrike.cpu.steps.KernelChoice;
import dev.shrike.cpu.steps.Step;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Turns a graph into a {@link Plan}: passes, layout, one arena, one step per operation that is left. */
public final class PlanBuilder implements AutoCloseable {
    /** Bytes that are worth a look at what the machine has left. */
    private static final long MUCH = 1L << 26;

    private final NativeLibrary library;
    private final LoweredNetwork network;
    private final KernelChoice choice;
    private final List<ConvLayer> layers = new ArrayList<>();
    private final Layout layout;
    private final Arena arena = Arena.ofShared();
    private final long context;
    private final List<MemorySegment> storages = new ArrayList<>();
    private final Map<String, View> constants = new HashMap<>();
    private final List<Step> steps = new ArrayList<>();
    private final ConvolutionFactory convolutions;
    private long bytes;
    private MemorySegment base;
    private MemorySegment workspace;
    /** The node whose steps are being made, for messages. */
    private LoweredNode at;
    private boolean handedOver;

    private PlanBuilder(
            NativeLibrary library, LoweredNetwork network, ExecutorOptions options, CpuSettings settings,
            KernelChoice choice) {
        this.library = library;
        this.network = network;
        this.choice = choice;
        this.layout = LayoutPlanner.plan(network, options.taps());
        int threads = threads(options);
        this.context = library.createContext(threads, settings.featureMask());
        this.convolutions = new ConvolutionFactory(library, context, settings.features(library), threads, choice);
    }

    /** The number of threads that the options stand for. */
    public static int threads(ExecutorOptions options) {
        return options.threads() == 0 ? Runtime.getRuntime().availableProcessors() : options.threads();
    }

    /** A plan with the kernels that the settings name, or else the engine's own choice. */
    public static Plan build(NativeLibrary library, Graph graph, ExecutorOptions options, CpuSettings settings) {
        return build(library, graph, options, settings, KernelChoice.of(settings, Map.of()));
    }

    /**
     * A plan that is ready to run. Whatever was set up is released if this fails half-way.
     *
     * @throws DeviceException if there is not enough memory
     */
    public static Plan build(
            NativeLibrary library, Graph graph, ExecutorOptions options, CpuSettings settings, KernelChoice choice) {
        try {
            return buildWithin(library, graph, options, settings, choice);
        } catch (OutOfMemoryError e) {
            throw new DeviceException("out of memory: '" + graph.name() + "' needs more than the JVM may take; use a"
                    + " smaller input size, or raise the limit with -Xmx", e);
        }
    }

    private static Plan buildWithin(
            NativeLibrary library, Graph graph, ExecutorOptions options, CpuSettings settings, KernelChoice choice) {
        Graph fixed = GraphPasses.forInference(withTaps(graph, options.taps()), options.inputShapes());
        Graph optimised = new SplitBeforeUnary(options.taps()).apply(fixed);
        LoweredNetwork network = QuantizedLowering.lower(optimised);
        List<String> outputs = graph.outputs().stream().map(ValueInfo::name).toList();
        try (PlanBuilder builder = new PlanBuilder(library, network, options, settings, choice)) {
            return builder.build(outputs, options.taps());
        }
    }

    /** The graph with the tapped values among its outputs, so that no pass fuses them away. */
    private static Graph withTaps(Graph graph, Set<String> taps) {
        if (taps.isEmpty()) {
            return graph;
        }
        Map<String, ValueInfo> types = ShapeInference.infer(graph);
        List<ValueInfo> outputs = new ArrayList<>(graph.outputs());
        for (String tap : taps) {
            if (!types.containsKey(tap)) {
                throw new ModelException("there is no value '" + tap + "' to tap in '" + graph.name() + "'");
            }
            if (graph.outputs().stream().noneMatch(output -> output.name().equals(tap))) {
                outputs.add(types.get(tap));
            }
        }
        return graph.withOutputs(outputs);
    }

    private Plan build(List<String> outputNames, Set<String> taps) {
        ArenaPlanner packing = ArenaPlanner.pack(layout.storages());
        base = allocate(packing.bytes());
        for (int i = 0; i < packing.offsets().length; i++) {
            storages.add(base.asSlice(packing.offsets()[i], layout.storages().get(i).bytes()));
        }
        QuantizedStepEmitter codes = new QuantizedStepEmitter(this, library, context, arena, choice);
        FloatStepEmitter floats = new FloatStepEmitter(this, library, context, arena);
        for (int index = 0; index < network.nodes().size(); index++) {
            LoweredNode node = network.nodes().get(index);
            int number = index;
            at = node;
            NodeErrors.guarded(node, () -> addSteps(number, node, codes, floats));
        }
        at = null;
        List<Binding> inputs = network.inputs().stream().map(this::bind).toList();
        List<Binding> outputs = outputNames.stream().map(this::bind).toList();
        List<Binding> tapped = taps.stream().sorted().map(this::bind).toList();
        bytes += convolutions.bytes();
        Plan plan = new Plan(library, context, arena, convolutions, steps, layers, inputs, outputs, tapped, bytes);
        handedOver = true;
        return plan;
    }

    private void addSteps(int index, LoweredNode node, QuantizedStepEmitter codes, FloatStepEmitter floats) {
        for (Layout.Copy copy : layout.copies().getOrDefault(index, List.of())) {
            View from = copy.from() != null ? copy.from() : viewOf(copy.source());
            if (elementBytes(copy.to()) == 1) {
                codes.copy(node, from, copy.to());
            } else {
                floats.copy(node, from, copy.to());
            }
        }
        switch (node.op()) {
            case CodesOp op -> codes.emit(index, node, op);
            case LoweredOp.FloatOp(Op op) -> floats.emit(index, node, op);
            case ViewOp _,LoweredOp.Concat _ -> {
                // What the layout does not give them, its copies do.
            }
        }
    }

    /** Adds a step. */
    public void add(Step step) {
        steps.add(step);
    }

    /** Notes what runs a convolution whose steps were added. */
    public void add(ConvLayer layer) {
        layers.add(layer);
    }

    ConvolutionFactory convolutions() {
        return convolutions;
    }

    /** Where input {@code input} of node {@code index} is to be read. */
    View inputView(int index, LoweredNode node, int input) {
        Map<Integer, View> straightened = layout.inputs().get(index);
        if (straightened != null && straightened.containsKey(input)) {
            return straightened.get(input);
        }
        return viewOf(node.input(input));
    }

    /** Where a value lies; constants are brought into native memory on first use. */
    View viewOf(String value) {
        View view = layout.views().get(value);
        return view != null ? view : constants.computeIfAbsent(value, this::store);
    }

    /** A matrix that is not in the network, in native memory. */
    View constant(float[] values, int rows, int columns) {
        storages.add(store(values));
        return View.dense(storages.size() - 1, new int[] {rows, columns}, View.rowMajor(2));
    }

    private View store(String value) {
        Tensor tensor = network.constants().get(value);
        if (tensor == null) {
            throw new IllegalStateException("value '" + value + "' has no place");
        }
        if (tensor.elements() == 0) {
            throw new UnsupportedModelException(about("constant '" + value + "' has the shape " + tensor.shape()
                    + " without elements, which the CPU engine does not read"));
        }
        MemorySegment memory = store(tensor.toFloats());
        storages.add(memory);
        int[] dims = tensor.shape().dims().stream().mapToInt(Math::toIntExact).toArray();
        return View.dense(storages.size() - 1, dims, View.rowMajor(dims.length));
    }

    /** The tensor of a constant input; anything else is an error that names the node. */
    Tensor constant(LoweredNode node, int input) {
        Tensor tensor = network.constants().get(node.input(input));
        if (tensor == null) {
            throw new UnsupportedModelException("node '" + node.name() + "': input " + input + " ('" + node.input(input)
                    + "') must be a constant");
        }
        return tensor;
    }

    /** The value of an input that is a constant. */
    Optional<Tensor> constantOf(LoweredNode node, int input) {
        return Optional.ofNullable(network.constants().get(node.input(input)));
    }

    /** The shape of a value. */
    Shape shape(String value) {
        return network.tensors().get(value).shape();
    }

    /** The memory of the storage in which a value lies. */
    public MemorySegment memory(View view) {
        return storages.get(view.storage());
    }

    /** A place of its own for a value between two steps of one node. */
    View temporary(int[] dims, int[] order) {
        View view = View.dense(storages.size(), dims, order);
        storages.add(allocate(Math.multiplyExact(view.elements(), Float.BYTES)));
        return view;
    }

    /** Native memory that lives as long as the plan. */
    public MemorySegment allocate(long size) {
        bytes += size;
        if (size > MUCH && MachineMemory.available().orElse(Long.MAX_VALUE) < size) {
            throw noMemory(size, null);
        }
        try {
            return arena.allocate(size, 64);
        } catch (OutOfMemoryError e) {
            throw noMemory(size, e);
        }
    }

    private DeviceException noMemory(long size, OutOfMemoryError cause) {
        return new DeviceException("out of memory: " + network.name() + " needs another " + size
                + " bytes; use a smaller input size", cause);
    }

    /** Values in native memory that lives as long as the plan. */
    MemorySegment store(float[] values) {
        MemorySegment memory = allocate(4L * Math.max(1, values.length));
        MemorySegment.copy(MemorySegment.ofArray(values), 0, memory, 0, 4L * values.length);
        return memory;
    }

    /** Scratch memory that steps share, since they run one after another. */
    MemorySegment workspace(long size) {
        if (workspace == null || workspace.byteSize() < size) {
            workspace = allocate(size);
        }
        return workspace;
    }

    /**
     * The address of a view's first element, bounded by its storage. The one place where a view becomes an address:
     * whatever led to it, all that it reaches lies within its storage.
     *
     * @throws ModelException if it does not; names the node
     */
    public BoundedPointer locate(View view) {
        MemorySegment storage = storages.get(view.storage());
        long length = storage.byteSize() / elementBytes(view);
        boolean within;
        try {
            View.Reach reach = view.reach();
            within = Arrays.stream(view.dims()).allMatch(d -> d > 0) && reach.first() >= 0 && reach.last() < length;
        } catch (ArithmeticException _) {
            within = false;
        }
        if (!within) {
            throw new ModelException(about(view + " leaves its " + length + " elements"));
        }
        return BoundedPointer.into(storage, storage.address() + view.offset() * elementBytes(view));
    }

    private String about(String what) {
        return at == null ? what : at.describe() + ": " + what;
    }

    /** Bytes of one element of a view: 4 for floats, 1 for codes. */
    int elementBytes(View view) {
        return view.storage() < layout.storages().size()
                ? layout.storages().get(view.storage()).elementBytes()
                : Float.BYTES;
    }

    private Binding bind(String value) {
        View view = viewOf(value);
        // Views that others see run forwards, so the first element is the lowest.
        long extent = view.reach().last() - view.offset() + 1;
        locate(view);
        MemorySegment memory =
                storages.get(view.storage()).asSlice(view.offset() * Float.BYTES, extent * Float.BYTES);
        return new Binding(value, Arrays.stream(view.dims()).boxed().toList(),
                Arrays.stream(view.strides()).mapToInt(Math::toIntExact).boxed().toList(), memory);
    }

    @Override
    public void close() {
        if (!handedOver) {
            convolutions.close();
            library.destroyContext(context);
            arena.close();
        }
    }
}
