package dev.shrike.cpu.plan;

import dev.shrike.DeviceException;
import dev.shrike.Frame;
import dev.shrike.cpu.binding.NativeLibrary;
import dev.shrike.cpu.steps.ConvLayer;
import dev.shrike.cpu.steps.Step;
import dev.shrike.spi.Binding;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.spi.LetterboxParams;
import dev.shrike.spi.StepTime;
import dev.shrike.spi.UseGuard;
import java.lang.foreign.Arena;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;

/**
 * A network as a list of steps over fixed buffers. One thread runs the steps in order; each step is parallel inside.
 * Owns the arena, the worker pool and the objects of other libraries; a {@link Cleaner} frees them if nobody closed the
 * plan.
 */
public final class Plan implements GraphExecutor {
    private static final Cleaner CLEANER = Cleaner.create();

    private final Step[] steps;
    private final long[] nanos;
    private final List<Binding> inputs;
    private final List<Binding> outputs;
    private final List<Binding> taps;
    private final long bytes;
    private final String description;
    private final List<ConvLayer> layers;
    private final Runnable[] beforeRun;
    /** Null if the input is no image. */
    private final FrameInput frames;
    private final Cleaner.Cleanable cleanable;
    private final UseGuard guard = new UseGuard("executor");

    Plan(
            NativeLibrary library,
            long context,
            Arena arena,
            ConvolutionFactory convolutions,
            List<Step> steps,
            List<ConvLayer> layers,
            List<Binding> inputs,
            List<Binding> outputs,
            List<Binding> taps,
            long bytes) {
        this.steps = steps.toArray(Step[]::new);
        this.nanos = new long[this.steps.length];
        this.inputs = List.copyOf(inputs);
        this.outputs = List.copyOf(outputs);
        this.taps = List.copyOf(taps);
        this.bytes = bytes;
        this.layers = List.copyOf(layers);
        this.description = convolutions.description();
        this.beforeRun = convolutions.beforeRun();
        this.frames = FrameInput.of(library, context, arena, inputs);
        this.cleanable = CLEANER.register(this, new Release(library, context, arena, convolutions));
    }

    private record Release(NativeLibrary library, long context, Arena arena, ConvolutionFactory convolutions)
            implements Runnable {
        @Override
        public void run() {
            convolutions.close();
            library.destroyContext(context);
            arena.close();
        }
    }

    @Override
    public String description() {
        return description;
    }

    /** The convolutions in the order of execution. */
    public List<ConvLayer> layers() {
        return layers;
    }

    /** Name of the node of a step. */
    public String node(int step) {
        return steps[step].node();
    }

    /** Times of the last run by step; not to be changed. */
    public long[] nanos() {
        return nanos;
    }

    @Override
    public List<Binding> inputs() {
        return inputs;
    }

    @Override
    public List<Binding> outputs() {
        return outputs;
    }

    @Override
    public List<Binding> taps() {
        return taps;
    }

    @Override
    public boolean accept(Frame frame, LetterboxParams how, int image) {
        guard.enter();
        try {
            return frames != null && image == 0 && frames.accept(frame, how);
        } finally {
            guard.exit();
            Reference.reachabilityFence(frame);
            Reference.reachabilityFence(this);
        }
    }

    @Override
    public void run() {
        guard.enter();
        try {
            runSteps();
        } finally {
            guard.exit();
            // Else the collector could find the plan, and free its memory, while the last step is running.
            Reference.reachabilityFence(this);
        }
    }

    private void runSteps() {
        for (Runnable preparation : beforeRun) {
            preparation.run();
        }
        long before = System.nanoTime();
        for (int i = 0; i < steps.length; i++) {
            int status = steps[i].execute();
            if (status != 0) {
                throw failure(steps[i], status);
            }
            long after = System.nanoTime();
            nanos[i] = after - before;
            before = after;
        }
    }

    private static DeviceException failure(Step step, int status) {
        return new DeviceException(
                "step '" + step.node() + "' (" + step.kernel() + ") failed: " + step.statusText(status));
    }

    @Override
    public List<StepTime> times() {
        List<StepTime> list = new ArrayList<>(steps.length);
        for (int i = 0; i < steps.length; i++) {
            list.add(new StepTime(steps[i].node(), steps[i].kernel(), nanos[i], steps[i].macs()));
        }
        return list;
    }

    @Override
    public long nativeBytes() {
        return bytes;
    }

    @Override
    public void close() {
        guard.close(cleanable::clean);
    }
}
