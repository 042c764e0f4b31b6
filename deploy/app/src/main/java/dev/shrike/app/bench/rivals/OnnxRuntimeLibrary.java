package dev.shrike.app.bench.rivals;

import dev.shrike.BackendUnavailableException;
import java.lang.reflect.InvocationTargetException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * ONNX Runtime's Java classes, found when they are asked for: the product does not bring its 90 MB. Where they are not
 * on the class path, its jar is looked for in the places that {@link #candidates} has. Everything is called by name.
 */
final class OnnxRuntimeLibrary {
    /** The version that our figures are taken against. */
    static final String VERSION = "1.24.2";

    private static final String PACKAGE = "ai.onnxruntime.";
    private static final String ENVIRONMENT = PACKAGE + "OrtEnvironment";
    private static final String JAR = "onnxruntime-" + VERSION + ".jar";

    private final ClassLoader loader;

    private OnnxRuntimeLibrary(ClassLoader loader) {
        this.loader = loader;
    }

    private static final class Loaded {
        static final OnnxRuntimeLibrary LIBRARY = find(System.getenv(), System.getProperty("user.home", ""));
    }

    /**
     * The library; it stays loaded.
     *
     * @throws BackendUnavailableException if it is nowhere; says how to bring it
     */
    static OnnxRuntimeLibrary require() {
        if (Loaded.LIBRARY == null) {
            throw missing(candidates(System.getenv(), System.getProperty("user.home", "")));
        }
        return Loaded.LIBRARY;
    }

    static BackendUnavailableException missing(List<Path> places) {
        return new BackendUnavailableException("ONNX Runtime is not here: fetch it with 'mvn dependency:get"
                + " -Dartifact=com.microsoft.onnxruntime:onnxruntime:" + VERSION + "', or give its jar with"
                + " SHRIKE_ONNXRUNTIME=FILE.jar; looked for " + places, null);
    }

    private static OnnxRuntimeLibrary find(Map<String, String> environment, String home) {
        try {
            Class.forName(ENVIRONMENT, false, OnnxRuntimeLibrary.class.getClassLoader());
            return new OnnxRuntimeLibrary(OnnxRuntimeLibrary.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            // Then in its jar.
        }
        for (Path jar : candidates(environment, home)) {
            if (Files.isRegularFile(jar)) {
                return new OnnxRuntimeLibrary(new URLClassLoader("onnxruntime", new URL[] {url(jar)},
                        OnnxRuntimeLibrary.class.getClassLoader()));
            }
        }
        return null;
    }

    private static URL url(Path jar) {
        try {
            return jar.toUri().toURL();
        } catch (MalformedURLException e) {
            throw new BackendUnavailableException(jar + ": is no path to load classes from", e);
        }
    }

    /** Where the jar may be, first things first: only the one that the user names, if there is one. */
    static List<Path> candidates(Map<String, String> environment, String home) {
        String given = environment.getOrDefault("SHRIKE_ONNXRUNTIME", "");
        try {
            if (!given.isBlank()) {
                return List.of(Path.of(given).toAbsolutePath());
            }
            String cache = environment.getOrDefault("XDG_CACHE_HOME", "");
            List<Path> places = new ArrayList<>();
            places.add((cache.isBlank() ? Path.of(home, ".cache") : Path.of(cache)).resolve("shrike").resolve("rivals")
                    .resolve(JAR));
            places.add(Path.of(home, ".m2", "repository", "com", "microsoft", "onnxruntime", "onnxruntime", VERSION,
                    JAR));
            return places;
        } catch (InvalidPathException e) {
            throw new BackendUnavailableException("SHRIKE_ONNXRUNTIME: '" + e.getInput() + "' is no path", e);
        }
    }

    /** The class of that simple name; of an inner one {@code Outer$Inner}. */
    Class<?> type(String name) {
        try {
            return Class.forName(PACKAGE + name, true, loader);
        } catch (ClassNotFoundException | LinkageError e) {
            throw new BackendUnavailableException("ONNX Runtime does not load: " + e, e);
        }
    }

    /** What a static method gives. */
    Object callStatic(String type, String method, Class<?>[] types, Object... arguments) {
        return invoke(type(type), null, method, types, arguments);
    }

    /** What a method gives. */
    Object call(Object target, String type, String method, Class<?>[] types, Object... arguments) {
        return invoke(type(type), target, method, types, arguments);
    }

    private static Object invoke(Class<?> type, Object target, String method, Class<?>[] types, Object... arguments) {
        try {
            return type.getMethod(method, types).invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw new RivalException("ONNX Runtime: " + e.getCause().getMessage(), e.getCause());
        } catch (ReflectiveOperationException | LinkageError e) {
            throw new BackendUnavailableException("this ONNX Runtime has no " + type.getSimpleName() + "." + method
                    + " as " + VERSION + " has it: " + e, e);
        }
    }

    /** Closes what the library made. */
    static void close(Object closeable) {
        try {
            ((AutoCloseable) closeable).close();
        } catch (Exception e) {
            throw new RivalException("ONNX Runtime cannot close: " + e.getMessage(), e);
        }
    }
}
