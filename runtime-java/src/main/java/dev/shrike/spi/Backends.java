package dev.shrike.spi;

import dev.shrike.BackendUnavailableException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** The engines that there are, and those of them that can run here. */
public final class Backends {
    private Backends() {}

    /**
     * Every engine on the class or module path, whether or not it can run here.
     *
     * @throws BackendUnavailableException if an engine is registered but broken
     */
    public static List<Backend> installed() {
        List<Backend> backends = new ArrayList<>();
        Iterator<Backend> found = ServiceLoader.load(Backend.class, Backends.class.getClassLoader())
                .iterator();
        while (true) {
            try {
                if (!found.hasNext()) {
                    return backends;
                }
                backends.add(found.next());
            } catch (ServiceConfigurationError e) {
                throw new BackendUnavailableException("an engine on the class path is broken: " + e.getMessage(), e);
            }
        }
    }

    /**
     * Those of the engines that can run here, best first; never empty.
     *
     * @param wanted name of the only engine to take, or empty for any
     * @throws BackendUnavailableException if there is none; says what each is missing
     */
    public static List<Backend> usable(List<Backend> backends, String wanted) {
        List<Backend> usable = new ArrayList<>();
        StringBuilder reasons = new StringBuilder();
        Throwable cause = null;
        for (Backend backend : backends) {
            if (!wanted.isEmpty() && !backend.name().equalsIgnoreCase(wanted)) {
                continue;
            }
            switch (backend.probe()) {
                case Availability.Available _ -> usable.add(backend);
                case Availability.Missing missing -> {
                    reasons.append("; ").append(backend.name()).append(": ").append(missing.reason());
                    cause = cause == null ? missing.cause() : cause;
                }
            }
        }
        if (usable.isEmpty()) {
            throw unavailable(backends, wanted, reasons.toString(), cause);
        }
        usable.sort(Comparator.comparingInt(Backend::rank).reversed().thenComparing(Backend::name));
        return usable;
    }

    private static BackendUnavailableException unavailable(
            List<Backend> backends, String wanted, String reasons, Throwable cause) {
        if (!reasons.isEmpty()) {
            return new BackendUnavailableException("no engine can run here" + reasons, cause);
        }
        if (backends.isEmpty()) {
            return new BackendUnavailableException(
                    "no engine is installed: add dev.shrike:shrike-cpu to the class path", cause);
        }
        List<String> names = backends.stream().map(Backend::name).sorted().toList();
        return new BackendUnavailableException("there is no engine '" + wanted + "', installed are " + names, cause);
    }
}
