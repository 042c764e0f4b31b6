package dev.shrike.cpu.tuning;

import dev.shrike.cpu.binding.CpuModel;
import dev.shrike.cpu.binding.NativeLibrary;
import dev.shrike.cpu.steps.ConvKernel;
import dev.shrike.cpu.steps.ConvLayer;
import dev.shrike.cpu.steps.CpuSettings;
import java.lang.System.Logger.Level;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Kernels chosen layer by layer, in the form that files keep: texts by {@link ConvLayer#key()}, and what machine and
 * threads they are for.
 *
 * @param target what they are for, see {@link #target}, or {@link #ANYWHERE}
 * @param kernels the kernel of each layer
 */
public record Choices(String target, Map<String, ConvKernel> kernels) {
    /** A target that fits every machine: what somebody asked for, not what was measured. */
    public static final String ANYWHERE = "any";

    private static final String TARGET = "for";
    private static final System.Logger LOG = System.getLogger(Choices.class.getName());

    public Choices {
        kernels = Map.copyOf(kernels);
    }

    /** The machine, its usable features, threads and library, on all of which depends what is quickest. */
    public static String target(CpuModel cpu, NativeLibrary library, CpuSettings settings, int threads) {
        return cpu.name() + "; features " + Long.toHexString(settings.features(library))
                + (threads == 1 ? "; 1 thread" : "; " + threads + " threads") + "; libshrike " + library.versionText()
                + settings.realKernel().map(kernel -> "; floats " + kernel.label()).orElse("")
                + settings.codesKernel().map(kernel -> "; codes " + kernel.label()).orElse("");
    }

    /** The form for files. */
    public Map<String, String> toTexts() {
        Map<String, String> texts = texts(kernels);
        texts.put(TARGET, target);
        return texts;
    }

    /** Kernels by their names. */
    public static Map<String, String> texts(Map<String, ConvKernel> kernels) {
        Map<String, String> texts = new HashMap<>();
        kernels.forEach((key, kernel) -> texts.put(key, kernel.label()));
        return texts;
    }

    /**
     * The choices in a file if they are for that target or for any, else nothing. Kernels that this version does not
     * know are left out; a layer without a choice, or with one that cannot run it, gets the engine's own.
     */
    public static Optional<Choices> read(Map<String, String> texts, String wanted) {
        String target = texts.get(TARGET);
        if (target == null || !target.equals(wanted) && !target.equals(ANYWHERE)) {
            if (target != null) {
                LOG.log(Level.DEBUG, "the model was tuned for " + target + ", this is " + wanted
                        + ": the engine chooses its kernels; 'shrike build MODEL.shrike -o NEW.shrike' tunes it here");
            }
            return Optional.empty();
        }
        Map<String, String> layers = new HashMap<>(texts);
        layers.remove(TARGET);
        return Optional.of(new Choices(target, known(layers, "the model")));
    }

    /** Those of the choices whose kernels this version knows. */
    static Map<String, ConvKernel> known(Map<String, String> texts, String where) {
        Map<String, ConvKernel> kernels = new HashMap<>();
        TreeSet<String> unknown = new TreeSet<>();
        texts.forEach((key, label) -> ConvKernel.named(label)
                .ifPresentOrElse(kernel -> kernels.put(key, kernel), () -> unknown.add(label)));
        if (!unknown.isEmpty()) {
            String first = unknown.first();
            LOG.log(Level.WARNING, where + " names kernels that this version does not have, such as '"
                    + first.substring(0, Math.min(first.length(), 40)) + "': the engine chooses for those layers");
        }
        return kernels;
    }
}
