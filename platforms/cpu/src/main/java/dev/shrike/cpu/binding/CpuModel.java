package dev.shrike.cpu.binding;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What kind of processor this is, as the system names it. */
public record CpuModel(String name) {
    private static final Path INFO = Path.of("/proc/cpuinfo");
    /** x86 names its CPU; ARM gives numbers for the maker and the core, and some boards their own name at the end. */
    private static final List<String> TELLING =
            List.of("model name", "CPU implementer", "CPU part", "CPU variant", "Model");

    /** This machine's. */
    public static CpuModel here() {
        try {
            return of(Files.readString(INFO, StandardCharsets.UTF_8));
        } catch (IOException e) {
            return new CpuModel(NativeLoader.platform());
        }
    }

    /** The one that a text like that of {@code /proc/cpuinfo} describes. */
    public static CpuModel of(String info) {
        Map<String, String> first = new LinkedHashMap<>();
        for (String line : info.lines().toList()) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                first.putIfAbsent(line.substring(0, colon).strip(), line.substring(colon + 1).strip());
            }
        }
        List<String> parts = TELLING.stream().filter(first::containsKey).map(first::get).toList();
        return new CpuModel(parts.isEmpty() ? NativeLoader.platform() : String.join(" ", parts));
    }

    /** The name as part of a file's name. */
    public String slug() {
        String slug = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
        return slug.isEmpty() ? "cpu" : slug.substring(0, Math.min(slug.length(), 80));
    }
}
