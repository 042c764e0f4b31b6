package dev.shrike.app.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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

    private String value(String name) {
        return out.toString(StandardCharsets.UTF_8).lines().filter(line -> line.startsWith(name + " ")).findFirst()
                .map(line -> line.substring(name.length()).strip()).orElse("");
    }

    private record Engine(String name, Availability probe) implements Backend {
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
        assertEquals("5, L4T 35.4.1", value("JetPack"));
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
