package dev.shrike.cpu;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPasses;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.ShapeInference;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
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
final class PlanBuilder implements AutoCloseable {
    private final NativeLibrary library;
    private final LoweredGraph lowered;
    private final KernelChoice choice;
    private final List<ConvLayer> layers = new ArrayList<>();
    private final Graph graph;
    private final Layout layout;
    private final Arena arena = Arena.ofShared();
    private final long context;
    private final List<Long> addresses = new ArrayList<>();
    private final Map<String, View> constants = new HashMap<>();
    private final List<Step> steps = new ArrayList<>();
    private final ConvolutionFactory convolutions;
    private long bytes;
    private MemorySegment base;
    private MemorySegment workspace;
    private boolean handedOver;

    private PlanBuilder(
            NativeLibrary library, LoweredGraph lowered, ExecutorOptions options, CpuSettings settings,
            KernelChoice choice) {
        this.library = library;
        this.lowered = lowered;
        this.choice = choice;
        this.graph = lowered.graph();
        this.layout = LayoutPlanner.plan(graph, lowered.types(), options.taps());
        int threads = threads(options);
        this.context = library.createContext(threads, settings.featureMask());
        this.convolutions = new ConvolutionFactory(library, context, threads, choice);
    }

    /** The number of threads that the options stand for. */
    static int threads(ExecutorOptions options) {
        return options.threads() == 0 ? Runtime.getRuntime().availableProcessors() : options.threads();
    }

    /** A plan with the kernels that the settings name, or else the engine's own choice. */
    static Plan build(NativeLibrary library, Graph graph, ExecutorOptions options, CpuSettings settings) {
        return build(library, graph, options, settings, KernelChoice.of(settings, Map.of()));
    }

    /** A plan that is ready to run. Whatever was set up is released if this fails half-way. */
    static Plan build(
            NativeLibrary library, Graph graph, ExecutorOptions options, CpuSettings settings, KernelChoice choice) {
        Graph fixed = GraphPasses.forInference(withTaps(graph, options.taps()), options.inputShapes());
        Graph optimised = new SplitBeforeUnary(options.taps()).apply(fixed);
        LoweredGraph lowered = QuantizedLowering.lower(optimised);
        List<String> outputs = graph.outputs().stream().map(ValueInfo::name).toList();
        try (PlanBuilder builder = new PlanBuilder(library, lowered, options, settings, choice)) {
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
        for (long offset : packing.offsets()) {
            addresses.add(base.address() + offset);
        }
        CodeLowering codes = new CodeLowering(this, lowered, library, context, arena, choice);
        OperationLowering lowering = new OperationLowering(this, codes, library, context, arena);
        for (int index = 0; index < graph.nodes().size(); index++) {
            Node node = graph.nodes().get(index);
            for (Layout.Copy copy : layout.copies().getOrDefault(index, List.of())) {
                View from = copy.from() != null ? copy.from() : viewOf(copy.source());
                lowering.copy(node, from, copy.to());
            }
            if (!(node.op() instanceof Op.Concat) && !LayoutPlanner.isViewOp(node)) {
                lowering.lower(index, node);
            }
        }
        List<Binding> inputs = graph.inputs().stream().map(v -> bind(v.name())).toList();
        List<Binding> outputs = outputNames.stream().map(this::bind).toList();
        List<Binding> tapped = taps.stream().sorted().map(this::bind).toList();
        bytes += convolutions.bytes();
        Plan plan = new Plan(library, context, arena, convolutions, steps, layers, inputs, outputs, tapped, bytes);
        handedOver = true;
        return plan;
    }

    /** Adds a step. */
    void add(Step step) {
        steps.add(step);
    }

    /** Notes what runs a convolution whose steps were added. */
    void add(ConvLayer layer) {
        layers.add(layer);
    }

    /** The graph after its passes. */
    Graph graph() {
        return graph;
    }

    ConvolutionFactory convolutions() {
        return convolutions;
    }

    /** Where input {@code input} of node {@code index} is to be read. */
    View inputView(int index, Node node, int input) {
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

    /** A matrix that is not in the graph, in native memory. */
    View constant(float[] values, int rows, int columns) {
        addresses.add(store(values).address());
        return View.dense(addresses.size() - 1, new int[] {rows, columns}, View.rowMajor(2));
    }

    private View store(String value) {
        Tensor tensor = graph.constants().get(value);
        if (tensor == null) {
            throw new IllegalStateException("value '" + value + "' has no place");
        }
        MemorySegment memory = store(tensor.toFloats());
        addresses.add(memory.address());
        int[] dims = tensor.shape().dims().stream().mapToInt(Math::toIntExact).toArray();
        return View.dense(addresses.size() - 1, dims, View.rowMajor(dims.length));
    }

    /** The tensor of a constant input; anything else is an error that names the node. */
    Tensor constant(Node node, int input) {
        Tensor tensor = graph.constants().get(node.input(input));
        if (tensor == null) {
            throw new UnsupportedModelException("node '" + node.name() + "': input " + input + " ('" + node.input(input)
                    + "') must be a constant");
        }
        return tensor;
    }

    /** The value of an input that is a constant. */
    Optional<Tensor> constantOf(Node node, int input) {
        return Optional.ofNullable(graph.constants().get(node.input(input)));
    }

    /** Type and shape of a value. */
    ValueInfo type(String value) {
        return lowered.types().get(value);
    }

    /** The memory of the storage in which a value lies. */
    MemorySegment memory(View view) {
        long length = layout.storages().get(view.storage()).bytes();
        return base.asSlice(storageAddress(view.storage()) - base.address(), length);
    }

    /** A place of its own for a value between two steps of one node. */
    View temporary(int[] dims, int[] order) {
        View view = View.dense(addresses.size(), dims, order);
        addresses.add(allocate(Math.multiplyExact(view.elements(), Float.BYTES)).address());
        return view;
    }

    /** Native memory that lives as long as the plan. */
    MemorySegment allocate(long size) {
        bytes += size;
        try {
            return arena.allocate(size, 64);
        } catch (OutOfMemoryError e) {
            throw new dev.shrike.DeviceException("out of memory: " + graph.name() + " needs another " + size
                    + " bytes; use a smaller input size", e);
        }
    }

    /** Values in native memory that lives as long as the plan. */
    MemorySegment store(float[] values) {
        MemorySegment memory = allocate(4L * Math.max(1, values.length));
        MemorySegment.copy(MemorySegment.ofArray(values), 0, memory, 0, 4L * values.length);
        return memory;
    }

    /** Address of scratch memory that steps share, since they run one after another. */
    long workspace(long size) {
        if (workspace == null || workspace.byteSize() < size) {
            workspace = allocate(size);
        }
        return workspace.address();
    }

    /** Native address of element 0 of a storage. */
    long storageAddress(long storage) {
        return addresses.get((int) storage);
    }

    /** Native address of a view's first element. */
    long address(View view) {
        return storageAddress(view.storage()) + view.offset() * elementBytes(view);
    }

    /** Bytes of one element of a view: 4 for reals, 1 for codes. */
    int elementBytes(View view) {
        return view.storage() < layout.storages().size()
                ? layout.storages().get(view.storage()).elementBytes()
                : Float.BYTES;
    }

    private Binding bind(String value) {
        View view = viewOf(value);
        long extent = 1;
        for (int d = 0; d < view.rank(); d++) {
            extent += (view.dims()[d] - 1) * view.strides()[d];
        }
        MemorySegment memory =
                MemorySegment.ofAddress(address(view)).reinterpret(extent * Float.BYTES, arena, null);
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
