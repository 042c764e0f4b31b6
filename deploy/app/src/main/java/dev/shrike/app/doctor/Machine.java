package dev.shrike.app.doctor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a machine's own files say about it. Everything is read from below a root, so that a tree of files can stand for
 * a board; what is not there is left out.
 */
final class Machine {
    private static final int LONGEST = 1 << 24;
    private static final Pattern RELEASE = Pattern.compile("R(\\d+) \\(release\\), REVISION: ([\\d.]+)");
    private static final List<String> PACKAGES =
            List.of("nvidia-jetpack", "libnvinfer8", "libcudnn8", "libarm-compute43", "openjdk-25-jre-headless");

    private final Path root;

    Machine(Path root) {
        this.root = root;
    }

    /**
     * A line of the report.
     *
     * @param name what it is about
     * @param value what was found
     */
    record Line(String name, String value) {}

    /** Everything that was found, in the order of the report. */
    List<Line> lines() {
        List<Line> lines = new ArrayList<>();
        add(lines, "board", text("proc/device-tree/model").or(() -> text("sys/class/dmi/id/product_name")));
        add(lines, "system", text("etc/os-release").flatMap(all -> find(all, "(?m)^PRETTY_NAME=\"?([^\"\n]*)")));
        add(lines, "kernel", text("proc/sys/kernel/osrelease"));
        add(lines, "JetPack", text("etc/nv_tegra_release").flatMap(Machine::jetPack));
        add(lines, "processor", text("proc/cpuinfo").flatMap(Machine::processor));
        add(lines, "clock", clock());
        add(lines, "governor", text("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"));
        add(lines, "power mode", powerMode());
        add(lines, "GPU clock", gpuClock());
        add(lines, "temperature", temperature());
        add(lines, "memory", text("proc/meminfo").flatMap(Machine::memory));
        add(lines, "CUDA", text("usr/local/cuda/version.json")
                .flatMap(json -> find(json, "(?s)\"cuda\"\\s*:\\s*\\{.*?\"version\"\\s*:\\s*\"([^\"]+)\"")));
        add(lines, "packages", packages());
        return lines;
    }

    private static void add(List<Line> lines, String name, Optional<String> value) {
        value.filter(found -> !found.isBlank()).ifPresent(found -> lines.add(new Line(name, found.strip())));
    }

    /** The text of a file without the zero that ends those of the device tree. */
    private Optional<String> text(String path) {
        try {
            Path file = root.resolve(path);
            if (!Files.isRegularFile(file)) {
                return Optional.empty();
            }
            byte[] bytes;
            try (var in = Files.newInputStream(file)) {
                bytes = in.readNBytes(LONGEST);
            }
            return Optional.of(new String(bytes, StandardCharsets.UTF_8).replace("\0", "").strip());
        } catch (IOException | SecurityException e) {
            return Optional.empty();
        }
    }

    private static Optional<String> find(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        return matcher.find() ? Optional.of(matcher.group(1).strip()) : Optional.empty();
    }

    /** L4T 35 is JetPack 5, 36 is JetPack 6; before that JetPack 4 had 32. */
    private static Optional<String> jetPack(String release) {
        Matcher matcher = RELEASE.matcher(release);
        if (!matcher.find()) {
            return Optional.empty();
        }
        String version =
                switch (matcher.group(1)) {
                    case "32" -> "4 (too old: its CUDA is 10.2, Shrike needs JetPack 5)";
                    case "34", "35" -> "5";
                    case "36" -> "6 (its TensorRT 8.6 has no nvinfer of CUDA 11: install JetPack 5)";
                    default -> "unknown";
                };
        return Optional.of(version + ", L4T " + matcher.group(1) + "." + matcher.group(2));
    }

    private static Optional<String> processor(String info) {
        long count = Pattern.compile("(?m)^processor\\s*:").matcher(info).results().count();
        String name = find(info, "(?m)^(?:model name|Model)\\s*:\\s*(.*)$")
                .or(() -> find(info, "(?m)^CPU part\\s*:\\s*(.*)$").map(Machine::armPart)).orElse("unknown");
        return count == 0 ? Optional.empty() : Optional.of(count + " x " + name);
    }

    private static String armPart(String part) {
        return switch (part) {
            case "0xd03" -> "Cortex-A53";
            case "0xd08" -> "Cortex-A72";
            case "0xd0b" -> "Cortex-A76";
            case "0x004" -> "NVIDIA Carmel";
            case "0xd42" -> "Cortex-A78AE";
            default -> "ARM part " + part;
        };
    }

    private Optional<String> clock() {
        String folder = "sys/devices/system/cpu/cpu0/cpufreq/";
        Optional<Long> now = number(folder + "scaling_cur_freq");
        Optional<Long> most = number(folder + "cpuinfo_max_freq");
        return now.map(kilohertz -> kilohertz / 1000 + " MHz"
                + most.map(limit -> " of at most " + limit / 1000 + " MHz").orElse(""));
    }

    private Optional<Long> number(String path) {
        return text(path).filter(found -> found.matches("-?\\d{1,18}")).map(Long::parseLong);
    }

    /** What nvpmodel chose: its status names the mode by number, its settings give that a name. */
    private Optional<String> powerMode() {
        return text("var/lib/nvpmodel/status").flatMap(status -> find(status, "pmode:0*(\\d+)")).map(mode -> mode
                + text("etc/nvpmodel.conf").flatMap(all -> find(all, "POWER_MODEL ID=" + mode + " NAME=(\\S+?)\\s*>"))
                        .map(name -> " (" + name + ")").orElse(""));
    }

    private Optional<String> gpuClock() {
        try (Stream<Path> devices = Files.list(root.resolve("sys/class/devfreq"))) {
            return devices.map(device -> device.getFileName().toString())
                    .filter(name -> name.contains("gpu") || name.contains("gv11b") || name.contains("ga10b")).sorted()
                    .findFirst().flatMap(name -> number("sys/class/devfreq/" + name + "/cur_freq"))
                    .map(hertz -> hertz / 1_000_000 + " MHz");
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private Optional<String> temperature() {
        long hottest = Long.MIN_VALUE;
        for (int zone = 0; zone < 32; zone++) {
            hottest = Math.max(hottest, number("sys/class/thermal/thermal_zone" + zone + "/temp").orElse(hottest));
        }
        return hottest <= 0 ? Optional.empty() : Optional.of(hottest / 1000 + " °C in the hottest zone");
    }

    private static Optional<String> memory(String info) {
        Optional<Long> total = find(info, "(?m)^MemTotal:\\s*(\\d{1,15}) kB").map(Long::parseLong);
        Optional<Long> free = find(info, "(?m)^MemAvailable:\\s*(\\d{1,15}) kB").map(Long::parseLong);
        return total.map(all -> all / 1024 + " MiB"
                + free.map(available -> ", " + available / 1024 + " MiB available").orElse(""));
    }

    /** Versions of the Debian packages that matter. */
    private Optional<String> packages() {
        Optional<String> status = text("var/lib/dpkg/status");
        if (status.isEmpty()) {
            return Optional.empty();
        }
        List<String> found = new ArrayList<>();
        for (String name : PACKAGES) {
            find(status.get(), "(?m)^Package: " + Pattern.quote(name) + "\n(?:[^\n]+\n)*?Version: ([^\n]+)")
                    .ifPresent(version -> found.add(name + " " + version));
        }
        return found.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", found));
    }
}
