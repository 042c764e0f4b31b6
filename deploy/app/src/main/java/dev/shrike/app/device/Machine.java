package dev.shrike.app.device;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** What a machine's own files say about it; what is not there is left out. */
public final class Machine {
    private static final String CLOCKS = "sys/devices/system/cpu/cpufreq/";
    private static final String FIRST_CLOCK = "sys/devices/system/cpu/cpu0/cpufreq";
    private static final long KILOHERTZ = 1000;
    private static final int LONGEST_VALUE = 300;
    private static final List<String> PACKAGES = List.of("nvidia-jetpack", "libnvinfer8", "libnvonnxparsers8",
            "libcudnn8", "cuda-cudart-11-4", "cuda-nvrtc-11-4", "libarm-compute43", "openjdk-25-jre-headless");

    private final SystemFiles files;
    private final JetsonFiles jetson;
    private final Packages packages;

    /** The machine whose files are below the root. */
    public Machine(Path root) {
        files = new SystemFiles(root);
        jetson = new JetsonFiles(files);
        packages = new Packages(files.text("var/lib/dpkg/status").orElse(""));
    }

    /**
     * A line of the report.
     *
     * @param name what it is about
     * @param value what was found
     */
    public record Line(String name, String value) {}

    /** Everything that was found, in the order of the report. */
    public List<Line> lines() {
        List<Line> lines = new ArrayList<>();
        add(lines, "board", files.text("proc/device-tree/model").or(() -> files.text("sys/class/dmi/id/product_name")));
        HostState host = new HostState(files);
        add(lines, "SoC", host.chip());
        add(lines, "system", files.text("etc/os-release")
                .flatMap(all -> SystemFiles.find(all, "(?m)^PRETTY_NAME=\"?([^\"\n]*)")));
        add(lines, "kernel", files.text("proc/sys/kernel/osrelease"));
        add(lines, "JetPack", jetson.jetPack());
        add(lines, "processor", files.text("proc/cpuinfo").flatMap(this::processor));
        add(lines, "clock", clock());
        add(lines, "governor", files.text(FIRST_CLOCK + "/scaling_governor"));
        add(lines, "power mode", jetson.powerMode());
        add(lines, "GPU clock", jetson.gpuClock());
        add(lines, "memory clock", jetson.memoryClock());
        add(lines, "temperature", temperature());
        add(lines, "throttling", host.throttling());
        add(lines, "power", host.power());
        add(lines, "memory", files.text("proc/meminfo").flatMap(Machine::memory));
        add(lines, "CUDA", files.text("usr/local/cuda/version.json").flatMap(Machine::cuda)
                .or(() -> packages.version("cuda-cudart-11-4")));
        add(lines, "TensorRT", jetson.tensorRt(packages));
        add(lines, "packages", installed());
        add(lines, "radios", host.radios());
        add(lines, "desktop", host.desktop());
        return lines;
    }

    private static void add(List<Line> lines, String name, Optional<String> value) {
        value.map(found -> found.replaceAll("[\n\t]", " ").strip()).filter(found -> !found.isBlank())
                .map(found -> found.length() > LONGEST_VALUE ? found.substring(0, LONGEST_VALUE) + "…" : found)
                .ifPresent(found -> lines.add(new Line(name, found)));
    }

    private Optional<String> processor(String info) {
        long count = Pattern.compile("(?m)^processor\\s*:").matcher(info).results().count();
        String name = SystemFiles.find(info, "(?m)^(?:model name|Model)\\s*:\\s*(.*)$")
                .or(() -> SystemFiles.find(info, "(?m)^CPU part\\s*:\\s*(.*)$").map(Machine::armPart))
                .orElse("unknown");
        return count == 0 ? Optional.empty() : Optional.of(count + " x " + name + switchedOff());
    }

    /** Power modes of a Jetson switch cores off, which then are missing from the list of processors. */
    private String switchedOff() {
        Optional<Integer> online = files.text("sys/devices/system/cpu/online").flatMap(SystemFiles::count);
        Optional<Integer> present = files.text("sys/devices/system/cpu/present").flatMap(SystemFiles::count);
        if (online.isEmpty() || present.isEmpty() || present.get() <= online.get()) {
            return "";
        }
        return ", " + (present.get() - online.get()) + " of " + present.get() + " cores are switched off";
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

    /** Clocks of all cores now, what they can reach, and what the power mode lets them reach. */
    private Optional<String> clock() {
        List<String> groups = new ArrayList<>(
                files.names(CLOCKS, "policy\\d{1,5}").stream().map(name -> CLOCKS + name).toList());
        if (groups.isEmpty()) {
            groups.add(FIRST_CLOCK);
        }
        Optional<String> most = SystemFiles.megahertz(numbers(groups, "/cpuinfo_max_freq"), KILOHERTZ);
        Optional<String> limit = SystemFiles.megahertz(numbers(groups, "/scaling_max_freq"), KILOHERTZ)
                .filter(text -> most.isPresent() && !most.get().equals(text));
        return SystemFiles.megahertz(numbers(groups, "/scaling_cur_freq"), KILOHERTZ)
                .map(now -> now + most.map(text -> " of at most " + text).orElse("")
                        + limit.map(text -> ", limited to " + text).orElse(""));
    }

    private List<Long> numbers(List<String> folders, String file) {
        return folders.stream().flatMap(folder -> files.number(folder + file).stream()).toList();
    }

    private Optional<String> temperature() {
        return ThermalZones.read(files).stream().mapToDouble(ThermalZones.Zone::celsius).max().stream()
                .mapToObj(hottest -> (long) hottest + " °C in the hottest zone").findFirst();
    }

    private static Optional<String> memory(String info) {
        return mebibytes(info, "MemTotal").map(all -> all + " MiB"
                + mebibytes(info, "MemAvailable").map(available -> ", " + available + " MiB available").orElse("")
                + mebibytes(info, "SwapTotal").filter(swap -> swap > 0).map(swap -> ", " + swap + " MiB of swap")
                        .orElse(""));
    }

    private static Optional<Long> mebibytes(String info, String name) {
        return SystemFiles.find(info, "(?m)^" + name + ":\\s{0,64}(\\d{1,15}) kB").map(kb -> Long.parseLong(kb) / 1024);
    }

    private static Optional<String> cuda(String json) {
        try {
            return Optional.of(new ObjectMapper().readTree(json).path("cuda").path("version").asText())
                    .filter(version -> !version.isBlank());
        } catch (JacksonException e) {
            return Optional.empty();
        }
    }

    /** Versions of the Debian packages that matter. */
    private Optional<String> installed() {
        List<String> found = PACKAGES.stream()
                .flatMap(name -> packages.version(name).map(version -> name + " " + version).stream()).toList();
        return found.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", found));
    }
}
