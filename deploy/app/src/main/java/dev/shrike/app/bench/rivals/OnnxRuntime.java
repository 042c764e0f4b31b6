package dev.shrike.app.bench.rivals;

import dev.shrike.Frame;
import dev.shrike.StageTimes;
import dev.shrike.app.bench.harness.Configuration;
import dev.shrike.app.bench.harness.Contestant;
import dev.shrike.app.bench.harness.InputImage;
import java.lang.foreign.Arena;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.Set;

/** A model in ONNX Runtime, on the CPU and as many threads as ours. Runs the network alone. */
final class OnnxRuntime implements Contestant {
    private static final String OPTIONS = "OrtSession$SessionOptions";

    private final OnnxRuntimeLibrary library;
    private final Arena arena;
    private final Object tensor;
    private final Object session;
    private final Map<String, Object> feed;
    private final int threads;

    private OnnxRuntime(OnnxRuntimeLibrary library, Arena arena, Object session, Object tensor, String input,
            int threads) {
        this.library = library;
        this.arena = arena;
        this.session = session;
        this.tensor = tensor;
        this.feed = Map.of(input, tensor);
        this.threads = threads;
    }

    /** The model of the configuration, whose size is given. */
    static OnnxRuntime open(Configuration configuration) {
        OnnxRuntimeLibrary library = OnnxRuntimeLibrary.require();
        Object level = level(library);
        Object environment = library.callStatic("OrtEnvironment", "getEnvironment",
                new Class<?>[] {library.type("OrtLoggingLevel"), String.class}, level, "bench");
        Object session = session(library, environment, level, configuration);
        Arena arena = Arena.ofShared();
        try {
            Frame frame = InputImage.frame(configuration.image());
            FloatBuffer floats = InputImage.letterboxed(frame, configuration.width(), configuration.height(),
                    configuration.batch(), arena);
            long[] shape = {configuration.batch(), 3, configuration.height(), configuration.width()};
            Object tensor = library.callStatic("OnnxTensor", "createTensor",
                    new Class<?>[] {library.type("OrtEnvironment"), FloatBuffer.class, long[].class}, environment,
                    floats, shape);
            Set<?> names = (Set<?>) library.call(session, "OrtSession", "getInputNames", new Class<?>[0]);
            if (names.size() != 1) {
                throw new RivalException("the model has " + names.size() + " inputs", null);
            }
            return new OnnxRuntime(library, arena, session, tensor, (String) names.iterator().next(),
                    configuration.threads());
        } catch (RuntimeException e) {
            arena.close();
            OnnxRuntimeLibrary.close(session);
            throw e;
        }
    }

    private static Object level(OnnxRuntimeLibrary library) {
        for (Object level : library.type("OrtLoggingLevel").getEnumConstants()) {
            if (level.toString().equals("ORT_LOGGING_LEVEL_ERROR")) {
                return level;
            }
        }
        throw new RivalException("this ONNX Runtime has no level for errors", null);
    }

    private static Object session(OnnxRuntimeLibrary library, Object environment, Object level,
            Configuration configuration) {
        Object options;
        try {
            options = library.type(OPTIONS).getConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw new RivalException("this ONNX Runtime has no options: " + e, e);
        }
        try {
            Class<?>[] number = {int.class};
            Class<?>[] texts = {String.class, String.class};
            library.call(options, OPTIONS, "setIntraOpNumThreads", number, configuration.threads());
            library.call(options, OPTIONS, "setInterOpNumThreads", number, 1);
            library.call(options, OPTIONS, "setSessionLogLevel", new Class<?>[] {library.type("OrtLoggingLevel")},
                    level);
            library.call(options, OPTIONS, "addConfigEntry", texts, "session.intra_op.allow_spinning", "1");
            // Its workers would otherwise spin into the next one's turn on the same cores.
            library.call(options, OPTIONS, "addConfigEntry", texts, "session.force_spinning_stop", "1");
            return library.call(environment, "OrtEnvironment", "createSession",
                    new Class<?>[] {String.class, library.type(OPTIONS)}, configuration.model().toString(), options);
        } finally {
            OnnxRuntimeLibrary.close(options);
        }
    }

    @Override
    public String description() {
        return "ONNX Runtime " + OnnxRuntimeLibrary.VERSION + ", CPU, " + threads
                + (threads == 1 ? " thread" : " threads");
    }

    @Override
    public void run() {
        OnnxRuntimeLibrary.close(library.call(session, "OrtSession", "run", new Class<?>[] {Map.class}, feed));
    }

    @Override
    public StageTimes stages() {
        return null;
    }

    @Override
    public void close() {
        OnnxRuntimeLibrary.close(tensor);
        OnnxRuntimeLibrary.close(session);
        arena.close();
    }
}
