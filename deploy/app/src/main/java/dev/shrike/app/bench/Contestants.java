package dev.shrike.app.bench;

import dev.shrike.UnsupportedModelException;
import dev.shrike.app.bench.harness.Configuration;
import dev.shrike.app.bench.harness.Contestant;
import dev.shrike.app.bench.harness.NetworkContestant;
import dev.shrike.app.bench.harness.ShrikeContestant;
import dev.shrike.app.bench.rivals.Rival;
import dev.shrike.app.build.InputShapes;
import dev.shrike.graph.Graph;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.spi.BuiltModel;
import dev.shrike.spi.ExecutorOptions;
import java.util.Map;
import java.util.Optional;

/** Opens what a configuration asks for. */
final class Contestants {
    private Contestants() {}

    /**
     * The model on its engine. One of Shrike's engines runs all from the frame to the boxes if the model detects, else
     * the network alone.
     */
    static Contestant open(Configuration configuration) {
        Optional<Rival> rival = Rival.of(configuration.engine());
        if (rival.isPresent()) {
            return rival.get().open(configuration);
        }
        try {
            return ShrikeContestant.open(configuration);
        } catch (UnsupportedModelException e) {
            if (configuration.batch() != 1) {
                throw e;
            }
            try {
                return network(configuration);
            } catch (UnsupportedModelException other) {
                other.addSuppressed(e);
                throw other;
            }
        }
    }

    /** The network alone, on one of Shrike's engines. */
    static NetworkContestant network(Configuration configuration) {
        Backend backend = Backends.usable(Backends.installed(), configuration.engine()).getFirst();
        ExecutorOptions options = ExecutorOptions.DEFAULT.withThreads(configuration.threads());
        if (backend.reads(configuration.model())) {
            BuiltModel built = backend.read(configuration.model());
            return new NetworkContestant(backend.open(built.graph(), options.withChoices(built.choices())));
        }
        Graph graph = OnnxModels.read(configuration.model());
        return new NetworkContestant(backend.open(graph, options.withInputShapes(
                graph.inputs().size() == 1 ? InputShapes.of(graph, configuration.width(), configuration.height())
                        : Map.of())));
    }
}
