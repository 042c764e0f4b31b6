package dev.shrike.cpu;

import dev.shrike.UnsupportedModelException;
import dev.shrike.cpu.binding.NativeLibrary;
import dev.shrike.cpu.file.ShrikeFile;
import dev.shrike.cpu.plan.Plan;
import dev.shrike.cpu.plan.PlanBuilder;
import dev.shrike.cpu.steps.ConvKernel;
import dev.shrike.cpu.steps.ConvLayer;
import dev.shrike.cpu.steps.CpuSettings;
import dev.shrike.cpu.steps.KernelChoice;
import dev.shrike.cpu.tuning.Choices;
import dev.shrike.cpu.tuning.Tuner;
import dev.shrike.cpu.tuning.Tuning;
import dev.shrike.graph.Graph;
import dev.shrike.spi.BuildOptions;
import dev.shrike.spi.ExecutorOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Builds a {@code .shrike} file: chooses kernels as the options say, and writes. */
record FileBuild(NativeLibrary library, CpuSettings settings, BuildOptions options) {
    /** Layers that a message names. */
    private static final int NAMED = 4;

    /** Writes the network; the lines are for people. */
    List<String> write(Graph graph, Path file) {
        ExecutorOptions how = ExecutorOptions.DEFAULT.withThreads(options.threads());
        List<String> notes = new ArrayList<>();
        Map<String, String> choices = Map.of();
        if (!options.kernel().isEmpty()) {
            choices = forced(graph, how, notes).toTexts();
        } else if (options.tune()) {
            Tuning tuning = Tuner.here(library, settings).tune(graph, how, options.progress());
            notes.add(tuning.summary());
            choices = tuning.choices().toTexts();
        }
        new ShrikeFile(graph, choices).write(file);
        return notes;
    }

    private Choices forced(Graph graph, ExecutorOptions how, List<String> notes) {
        ConvKernel kernel = ConvKernel.named(options.kernel())
                .orElseThrow(() -> new IllegalArgumentException("there is no kernel '" + options.kernel()
                        + "'; there are " + String.join(", ", ConvKernel.labels())));
        Map<String, ConvKernel> taken = new HashMap<>();
        List<String> others = new ArrayList<>();
        int count;
        try (Plan plan = PlanBuilder.build(library, graph, how, settings, KernelChoice.everywhere(kernel))) {
            count = plan.layers().size();
            for (ConvLayer layer : plan.layers()) {
                if (layer.kernel() == kernel) {
                    taken.put(layer.key(), kernel);
                } else {
                    others.add(layer.node() + " (" + layer.about() + ", now " + layer.kernel().label() + ")");
                }
            }
        }
        if (taken.isEmpty()) {
            throw new UnsupportedModelException("no layer can use the kernel '" + kernel.label() + "' here: "
                    + (others.isEmpty() ? "it has no convolutions" : shortened(others)) + "; leave --kernel out");
        }
        notes.add("kernel " + kernel.label() + " runs " + (count - others.size()) + " of " + count + " convolutions");
        if (!others.isEmpty()) {
            notes.add("kernel " + kernel.label() + " cannot run " + shortened(others));
        }
        return new Choices(Choices.ANYWHERE, taken);
    }

    private static String shortened(List<String> layers) {
        String named = String.join(", ", layers.subList(0, Math.min(NAMED, layers.size())));
        return layers.size() <= NAMED ? named : named + " and " + (layers.size() - NAMED) + " more";
    }
}
