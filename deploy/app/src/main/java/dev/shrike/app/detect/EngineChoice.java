package dev.shrike.app.detect;

import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of commands that detect: on which engine, with how many threads, and how it reads raw heads. */
public final class EngineChoice {
    @Option(
            names = "--anchors",
            paramLabel = "W,H",
            split = ",",
            description = "Anchors of a model that ends in raw YOLOv5 heads, in pixels, smallest stride first (default:"
                    + " its metadata, or else those of YOLOv5 for COCO).")
    private List<Float> anchors = List.of();

    @Option(names = "--engine", paramLabel = "NAME", description = "Engine to run on, such as cpu (default: the best).")
    private String engine = "";

    @Mixin
    private ThreadsOption threads;

    /** Width and height of each anchor; empty for the model's own. */
    public List<Float> anchors() {
        return anchors;
    }

    /** Name of the engine; empty for the best. */
    public String engine() {
        return engine;
    }

    /** {@link ThreadsOption#count}. */
    public int threads() {
        return threads.count();
    }
}
