package dev.shrike.cpu;

import java.util.Map;
import java.util.Optional;

/**
 * Which kernels the convolutions of a plan are to use where they can; all others get the engine's own choice.
 *
 * @param reals for every convolution of reals, or null
 * @param codes for every convolution of codes, or null
 * @param byLayer by {@link ConvLayer#key()}; asked after the others
 */
record KernelChoice(ConvKernel reals, ConvKernel codes, Map<String, ConvKernel> byLayer) {
    /** The engine's own choice everywhere. */
    static final KernelChoice NONE = new KernelChoice(null, null, Map.of());

    KernelChoice {
        byLayer = Map.copyOf(byLayer);
    }

    /** What the settings ask for by name, and for the rest what was chosen for each layer. */
    static KernelChoice of(CpuSettings settings, Map<String, ConvKernel> byLayer) {
        return new KernelChoice(settings.realKernel().orElse(null), settings.codesKernel().orElse(null), byLayer);
    }

    /** One kernel for all convolutions. */
    static KernelChoice everywhere(ConvKernel kernel) {
        return new KernelChoice(kernel.takesReals() ? kernel : null, kernel.takesCodes() ? kernel : null, Map.of());
    }

    /** What a convolution of reals with this key is to use, or nothing for the engine's own choice. */
    Optional<ConvKernel> forReals(String key) {
        ConvKernel wanted = reals != null ? reals : byLayer.get(key);
        return Optional.ofNullable(wanted).filter(ConvKernel::takesReals);
    }

    /** What a convolution of codes with this key is to use, or nothing for the engine's own choice. */
    Optional<ConvKernel> forCodes(String key) {
        ConvKernel wanted = codes != null ? codes : byLayer.get(key);
        return Optional.ofNullable(wanted).filter(ConvKernel::takesCodes);
    }
}
