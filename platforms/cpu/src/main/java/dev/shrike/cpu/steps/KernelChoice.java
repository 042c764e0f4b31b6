package dev.shrike.cpu.steps;

import java.util.Map;
import java.util.Optional;

/**
 * Which kernels the convolutions of a plan are to use where they can; all others get the engine's own choice.
 *
 * @param floats for every convolution of floats, or null
 * @param codes for every convolution of codes, or null
 * @param byLayer by {@link ConvLayer#key()}; asked after the others
 * @param isTrial whether nobody asked for these kernels, so that nobody needs to be told of one that is missing
 */
public record KernelChoice(ConvKernel floats, ConvKernel codes, Map<String, ConvKernel> byLayer, boolean isTrial) {
    /** The engine's own choice everywhere. */
    public static final KernelChoice NONE = new KernelChoice(null, null, Map.of(), false);

    public KernelChoice {
        byLayer = Map.copyOf(byLayer);
    }

    /** What the settings ask for by name, and for the rest what was chosen for each layer. */
    public static KernelChoice of(CpuSettings settings, Map<String, ConvKernel> byLayer) {
        return new KernelChoice(settings.realKernel().orElse(null), settings.codesKernel().orElse(null), byLayer,
                false);
    }

    /** What the tuner tries, where it can be had. */
    public static KernelChoice trial(Optional<ConvKernel> floats, Optional<ConvKernel> codes) {
        return new KernelChoice(floats.orElse(null), codes.orElse(null), Map.of(), true);
    }

    /** One kernel for all convolutions. */
    public static KernelChoice everywhere(ConvKernel kernel) {
        return new KernelChoice(kernel.takesReals() ? kernel : null, kernel.takesCodes() ? kernel : null, Map.of(),
                false);
    }

    /** What a convolution of floats with this key is to use, or nothing for the engine's own choice. */
    public Optional<ConvKernel> forReals(String key) {
        ConvKernel wanted = floats != null ? floats : byLayer.get(key);
        return Optional.ofNullable(wanted).filter(ConvKernel::takesReals);
    }

    /** What a convolution of codes with this key is to use, or nothing for the engine's own choice. */
    public Optional<ConvKernel> forCodes(String key) {
        ConvKernel wanted = codes != null ? codes : byLayer.get(key);
        return Optional.ofNullable(wanted).filter(ConvKernel::takesCodes);
    }
}
