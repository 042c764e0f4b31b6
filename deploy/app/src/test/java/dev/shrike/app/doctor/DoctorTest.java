package dev.shrike.app.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.app.Console;
import dev.shrike.app.Main;
import dev.shrike.graph.Graph;
import dev.shrike.spi.Availability;
import dev.shrike.spi.Backend;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class DoctorTest {
    @TempDir
    private Path root;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private void put(String path, String text) throws IOException {
        Files.createDirectories(root.resolve(path).getParent());
        Files.writeString(root.resolve(path), text);
    }

    private int run(Backend... backends) {
        return new DoctorCommand(new Console(out, System.err, false, false), root, List.of(backends)).call();
    }

    /** What stands in the second column beside a name, which is filled up to 16 characters in the first. */
    private String value(String name) {
        String column = String.format("%-16s", name);
        return out.toString(StandardCharsets.UTF_8).lines().filter(line -> line.startsWith(column)).findFirst()
                .map(line -> line.substring(column.length())).orElse("");
    }

    private record Engine(String name, Availability probe, List<String> details) implements Backend {
        Engine(String name, Availability probe) {
            this(name, probe, List.of());
        }

        @Override
        public int rank() {
            return 0;
        }

        @Override
        public GraphExecutor open(Graph graph, ExecutorOptions options) {
            throw new IllegalStateException("not asked for");
        }
    }

    @Test
    void readsAJetson() throws IOException {
        Map<String, String> files = Map.ofEntries(Map.entry("proc/device-tree/model", "NVIDIA Jetson Xavier NX\0"),
                Map.entry("etc/nv_tegra_release", "# R35 (release), REVISION: 4.1, GCID: 33958178, BOARD: t186ref"),
                Map.entry("etc/os-release", "NAME=\"Ubuntu\"\nPRETTY_NAME=\"Ubuntu 20.04.6 LTS\"\n"),
                Map.entry("proc/cpuinfo", "processor\t: 0\nCPU part\t: 0x004\n\nprocessor\t: 1\nCPU part\t: 0x004\n"),
                Map.entry("proc/meminfo", "MemTotal:        7000000 kB\nMemAvailable:    5000000 kB\n"),
                Map.entry("var/lib/nvpmodel/status", "pmode:0008"),
                Map.entry("etc/nvpmodel.conf", "< POWER_MODEL ID=8 NAME=MODE_20W_6CORE >\n"),
                Map.entry("sys/class/devfreq/17000000.gv11b/cur_freq", "1109250000\n"),
                Map.entry("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1190400\n"),
                Map.entry("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "1907200\n"),
                Map.entry("sys/class/thermal/thermal_zone0/temp", "41500"),
                Map.entry("usr/local/cuda/version.json",
                        "{\n \"cuda\" : {\n  \"name\" : \"CUDA SDK\",\n  \"version\" : \"11.4.19\"\n }\n}"),
                Map.entry("var/lib/dpkg/status", "Package: libnvinfer8\nStatus: install ok installed\nVersion:"
                        + " 8.5.2-1+cuda11.4\n\nPackage: other\nVersion: 1\n"));
        for (Map.Entry<String, String> file : files.entrySet()) {
            put(file.getKey(), file.getValue());
        }
        assertEquals(1, run(new Engine("tensorrt", new Availability.Missing("libnvinfer.so.8 is gone", null))));
        assertEquals("NVIDIA Jetson Xavier NX", value("board"));
        assertEquals("5.1.2, L4T 35.4.1", value("JetPack"));
        assertEquals("Ubuntu 20.04.6 LTS", value("system"));
        assertEquals("2 x NVIDIA Carmel", value("processor"));
        assertEquals("6835 MiB, 4882 MiB available", value("memory"));
        assertEquals("8 (MODE_20W_6CORE)", value("power mode"));
        assertEquals("1109 MHz", value("GPU clock"));
        assertEquals("1190 MHz of at most 1907 MHz", value("clock"));
        assertEquals("41 °C in the hottest zone", value("temperature"));
        assertEquals("11.4.19", value("CUDA"));
        assertEquals("libnvinfer8 8.5.2-1+cuda11.4", value("packages"));
        assertEquals("not here: libnvinfer.so.8 is gone", value("engine tensorrt"));
    }

    @Test
    void tellsLimitsOfClocksAndWhatIsSwitchedOff() throws IOException {
        put("proc/cpuinfo", "processor\t: 0\nCPU part\t: 0x004\n\nprocessor\t: 1\nCPU part\t: 0x004\n");
        put("sys/devices/system/cpu/online", "0-1\n");
        put("sys/devices/system/cpu/present", "0-3,5\n");
        for (int policy = 0; policy < 4; policy += 2) {
            String folder = "sys/devices/system/cpu/cpufreq/policy" + policy + "/";
            put(folder + "scaling_cur_freq", 1190400 + 1000 * policy + "\n");
            put(folder + "scaling_max_freq", "1420800\n");
            put(folder + "cpuinfo_max_freq", "1907200\n");
        }
        put("sys/class/devfreq/15340000.vic/cur_freq", "115200000");
        put("sys/class/devfreq/17000000.gv11b/cur_freq", "318750000");
        put("sys/class/devfreq/17000000.gv11b/min_freq", "114750000");
        put("sys/class/devfreq/17000000.gv11b/max_freq", "1109250000");
        put("sys/kernel/debug/bpmp/debug/clk/emc/rate", "1600000000");
        put("proc/meminfo", "MemTotal:        7000000 kB\nSwapTotal:       3500000 kB\n");
        run();
        assertEquals("2 x NVIDIA Carmel, 3 of 5 cores are switched off", value("processor"));
        assertEquals("1190 to 1192 MHz of at most 1907 MHz, limited to 1420 MHz", value("clock"));
        assertEquals("318 MHz, within 114 to 1109 MHz", value("GPU clock"));
        assertEquals("1600 MHz", value("memory clock"));
        assertEquals("6835 MiB, 3417 MiB of swap", value("memory"));
        put("sys/class/devfreq/17000000.gv11b/min_freq", "1109250000");
        assertEquals("318 MHz, fixed", again("GPU clock"));
    }

    private String again(String name) {
        out.reset();
        run();
        return value(name);
    }

    @Test
    void knowsTheVersionsOfJetPack5() throws IOException {
        Map<String, String> versions = Map.of("R35 (release), REVISION: 1.0", "5.0.2, L4T 35.1.0",
                "R35 (release), REVISION: 6.0", "5.1.4, L4T 35.6.0", "R35 (release), REVISION: 99.9", "5, L4T 35.99.9",
                "R99 (release), REVISION: 1", "unknown, L4T 99.1");
        for (Map.Entry<String, String> version : versions.entrySet()) {
            put("etc/nv_tegra_release", "# " + version.getKey() + ", GCID: 1");
            assertEquals(version.getValue(), again("JetPack"));
        }
        put("etc/nv_tegra_release", "# R32 (release), REVISION: 7.1");
        assertTrue(again("JetPack").startsWith("4 (too old"), again("JetPack"));
        put("etc/nv_tegra_release", "# R34 (release), REVISION: 1.1");
        assertTrue(again("JetPack").startsWith("5 (a preview"), again("JetPack"));
    }

    @Test
    void thePowerModeIsTheDefaultUntilSomebodyChooses() throws IOException {
        put("etc/nvpmodel.conf", "< POWER_MODEL ID=1 NAME=MODE_A >\n< POWER_MODEL ID=12 NAME=MODE_B>\n"
                + "< PM_CONFIG DEFAULT=12 >\n");
        assertEquals("12 (MODE_B), the default", again("power mode"));
        put("var/lib/nvpmodel/status", "pmode:0001");
        assertEquals("1 (MODE_A)", again("power mode"));
        put("var/lib/nvpmodel/status", "pmode:0003 fmode:quiet");
        assertEquals("3", again("power mode"), "a mode that the settings do not name");
    }

    @Test
    void findsTensorRtAndCudaWithAndWithoutPackages() throws IOException {
        put("usr/lib/aarch64-linux-gnu/libnvinfer.so.8", "");
        put("usr/lib/aarch64-linux-gnu/libnvinfer.so.8.5.2", "");
        assertEquals("8.5.2", again("TensorRT"));
        put("var/lib/dpkg/status", "Package: libnvinfer8\nStatus: install ok installed\nVersion: 8.5.2-1+cuda11.4\n\n"
                + "Package: cuda-cudart-11-4\nStatus: install ok installed\nVersion: 11.4.298-1\n\n"
                + "Package: libcudnn8\nStatus: deinstall ok config-files\nVersion: 8.6.0.166\n");
        assertEquals("8.5.2-1+cuda11.4", again("TensorRT"));
        assertEquals("11.4.298-1", again("CUDA"));
        assertEquals("libnvinfer8 8.5.2-1+cuda11.4, cuda-cudart-11-4 11.4.298-1", value("packages"),
                "a package that was removed is not named");
    }

    /** Files that no board has: whatever they hold, the report ends soon and is lines of text. */
    @Test
    void hostileFilesHurtNothing() throws IOException {
        put("proc/device-tree/model",
                "Jetson\u001b[2J\u0007 Xavier\nengine cpu      all is well\u202e" + "x".repeat(9999));
        Files.createDirectories(root.resolve("proc/meminfo"));
        Files.createDirectories(root.resolve("etc"));
        Files.createSymbolicLink(root.resolve("etc/nv_tegra_release"), Path.of("nv_tegra_release"));
        Files.createSymbolicLink(root.resolve("etc/os-release"), Path.of("nowhere"));
        put("etc/nvpmodel.conf", "POWER_MODEL ID=7 NAME=".repeat(40_000) + "PM_CONFIG DEFAULT=99999999999999");
        put("var/lib/nvpmodel/status", "pmode:" + "7".repeat(100_000));
        put("usr/local/cuda/version.json", "[".repeat(1_000_000));
        put("var/lib/dpkg/status", "Package: libnvinfer8\n" + "x: y\n".repeat(200_000) + "Version: 1\n");
        put("proc/cpuinfo", "processor : 0\nmodel name : Some\u001b]0;CPU\n");
        put("sys/devices/system/cpu/online", "0-99999999999");
        put("sys/devices/system/cpu/present", "5-2,,");
        put("sys/devices/system/cpu/cpufreq/policy0", "no folder");
        put("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "fast");
        put("sys/class/devfreq/gpu/cur_freq", "9".repeat(30));
        put("sys/class/thermal/thermal_zone0/temp", "-40000");
        assertTimeout(Duration.ofSeconds(20), () -> run(new Engine("cpu", new Availability.Available("here"))));
        String printed = out.toString(StandardCharsets.UTF_8);
        assertTrue(printed.chars().noneMatch(c -> c != '\n' && c < ' ' || c == 0x202e), printed);
        assertTrue(value("board").startsWith("Jetson[2J Xavier engine cpu"), value("board"));
        assertTrue(value("board").length() < 400, "cut off");
        assertEquals("1 x Some]0;CPU", value("processor"));
        assertEquals("here", value("engine cpu"), "nothing pretends to be the line of an engine");
        for (String name : List.of("JetPack", "system", "memory", "CUDA", "GPU clock", "clock", "TensorRT", "packages",
                "power mode")) {
            assertEquals("", value(name), name);
        }
    }

    @Test
    void whatTheEngineWillDoStandsBelowIt() {
        run(new Engine("tensorrt", new Availability.Available("8.5.2"), List.of("candidates on the GPU", "second")));
        List<String> lines = out.toString(StandardCharsets.UTF_8).lines().toList();
        int at = lines.indexOf("engine tensorrt 8.5.2");
        assertEquals(List.of(" ".repeat(16) + "candidates on the GPU", " ".repeat(16) + "second"),
                lines.subList(at + 1, at + 3));
    }

    @Test
    void saysNothingOfWhatItDoesNotFind() throws IOException {
        put("proc/meminfo", "garbage \0 MemTotal: 99999999999999999999 kB");
        put("proc/cpuinfo", "");
        put("etc/nv_tegra_release", "nonsense");
        assertEquals(0, run(new Engine("cpu", new Availability.Available("here"))));
        assertEquals("here", value("engine cpu"));
        assertEquals(2, out.toString(StandardCharsets.UTF_8).lines().count(), out.toString(StandardCharsets.UTF_8));
    }

    @Test
    void theRealMachineHasAnEngine() {
        PrintStream err = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        assertEquals(0, Main.run(new String[] {"doctor"}, new PrintStream(out, true, StandardCharsets.UTF_8), err));
        assertTrue(value("engine cpu").startsWith("libshrike"), out.toString(StandardCharsets.UTF_8));
        assertTrue(!value("engine tensorrt").isEmpty(), "the TensorRT engine is part of the command");
    }
}
