package dev.shrike;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.spi.Availability;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.spi.StepTime;
import dev.shrike.spi.UseGuard;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The evaluator as an engine, for networks of one input and one output of known shapes. */
final class EvaluatorBackend implements Backend {
    @Override
    public String name() {
        return "evaluator";
    }

    @Override
    public Availability probe() {
        return new Availability.Available("always");
    }

    @Override
    public int rank() {
        return 0;
    }

    @Override
    public GraphExecutor open(Graph graph, ExecutorOptions options) {
        return new Executor(graph);
    }

    private static final class Executor implements GraphExecutor {
        private final Arena arena = Arena.ofShared();
        private final UseGuard guard = new UseGuard("executor");
        private final Graph graph;
        private final Binding input;
        private final Binding output;

        Executor(Graph graph) {
            this.graph = graph;
            this.input = binding(graph.inputs().getFirst());
            this.output = binding(graph.outputs().getFirst());
        }

        private Binding binding(ValueInfo info) {
            List<Integer> dims = new ArrayList<>();
            List<Integer> strides = new ArrayList<>();
            int stride = 1;
            for (int i = info.shape().rank() - 1; i >= 0; i--) {
                dims.addFirst((int) info.shape().dim(i));
                strides.addFirst(stride);
                stride *= (int) info.shape().dim(i);
            }
            return new Binding(info.name(), dims, strides, arena.allocate(4L * stride, 64));
        }

        @Override
        public String description() {
            return "evaluator";
        }

        @Override
        public List<Binding> inputs() {
            return List.of(input);
        }

        @Override
        public List<Binding> outputs() {
            return List.of(output);
        }

        @Override
        public List<Binding> taps() {
            return List.of();
        }

        @Override
        public void run() {
            guard.enter();
            try {
                Shape shape = graph.inputs().getFirst().shape();
                Tensor image = Tensor.ofFloats(shape, input.memory().toArray(ValueLayout.JAVA_FLOAT));
                Tensor result = ReferenceEvaluator.run(graph, Map.of(input.name(), image),
                        Set.of(output.name())).get(output.name());
                for (long i = 0; i < result.elements(); i++) {
                    output.memory().setAtIndex(ValueLayout.JAVA_FLOAT, i, result.floatAt(i));
                }
            } finally {
                guard.exit();
            }
        }

        @Override
        public List<StepTime> times() {
            return List.of();
        }

        @Override
        public long nativeBytes() {
            return 0;
        }

        @Override
        public void close() {
            guard.close(arena::close);
        }
    }
}
