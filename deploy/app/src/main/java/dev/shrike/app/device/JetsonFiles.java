package dev.shrike.app.device;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What files of JetPack say about a Jetson. */
final class JetsonFiles {
    private static final Pattern RELEASE = Pattern.compile("R(\\d{1,3}) \\(release\\), REVISION: ([\\d.]{1,16})");
    private static final long HERTZ = 1_000_000;

    private final SystemFiles files;

    JetsonFiles(SystemFiles files) {
        this.files = files;
    }

    /** L4T 35 is JetPack 5, 36 is JetPack 6; before that JetPack 4 had 32. */
    Optional<String> jetPack() {
        return files.text("etc/nv_tegra_release").map(RELEASE::matcher).filter(Matcher::find)
                .map(found -> version(found.group(1), found.group(2)) + ", L4T " + found.group(1) + "."
                        + found.group(2));
    }

    private static String version(String release, String revision) {
        return switch (release) {
            case "32" -> "4 (too old: its CUDA is 10.2, Shrike needs JetPack 5)";
            case "34" -> "5 (a preview: install 5.1 or later)";
            case "35" -> revisionOf35(revision);
            case "36" -> "6 (its TensorRT 8.6 has no nvinfer of CUDA 11: install JetPack 5)";
            default -> "unknown";
        };
    }

    /** The table of NVIDIA's JetPack archive. */
    private static String revisionOf35(String revision) {
        return switch (revision) {
            case "1", "1.0" -> "5.0.2";
            case "2", "2.1" -> "5.1";
            case "3", "3.1" -> "5.1.1";
            case "4", "4.1" -> "5.1.2";
            case "5", "5.0" -> "5.1.3";
            case "6", "6.0" -> "5.1.4";
            default -> "5";
        };
    }

    /**
     * What nvpmodel chose: its status names the mode by number, its settings give that a name, and say which mode it is
     * while nobody has chosen.
     */
    Optional<String> powerMode() {
        String settings = files.text("etc/nvpmodel.conf").orElse("");
        Optional<String> chosen = files.text("var/lib/nvpmodel/status")
                .flatMap(status -> SystemFiles.find(status, "pmode:0{0,8}(\\d{1,4})(?!\\d)"));
        if (chosen.isPresent()) {
            return chosen.map(mode -> named(mode, settings));
        }
        return SystemFiles.find(settings, "PM_CONFIG DEFAULT=(\\d{1,4})(?!\\d)")
                .map(mode -> named(mode, settings) + ", the default");
    }

    private static String named(String mode, String settings) {
        return mode + SystemFiles.find(settings, "POWER_MODEL ID=" + mode + " NAME=(\\S{1,64}?)\\s{0,8}>")
                .map(name -> " (" + name + ")").orElse("");
    }

    /** Clock of the GPU and its limits; both limits are one after {@code jetson_clocks}. */
    Optional<String> gpuClock() {
        return files.names("sys/class/devfreq", ".*(gpu|gv11b|ga10b).*").stream().findFirst()
                .map(name -> "sys/class/devfreq/" + name + "/")
                .flatMap(folder -> files.number(folder + "cur_freq")
                        .map(now -> now / HERTZ + " MHz" + limits(folder)));
    }

    private String limits(String folder) {
        Optional<Long> least = files.number(folder + "min_freq").map(hertz -> hertz / HERTZ);
        Optional<Long> most = files.number(folder + "max_freq").map(hertz -> hertz / HERTZ);
        if (least.isEmpty() || most.isEmpty()) {
            return "";
        }
        return least.equals(most) ? ", fixed" : ", within " + least.get() + " to " + most.get() + " MHz";
    }

    /** Clock of the memory, which only root may read. */
    Optional<String> memoryClock() {
        return files.number("sys/kernel/debug/bpmp/debug/clk/emc/rate")
                .or(() -> files.number("sys/kernel/debug/clk/emc/clk_rate")).map(hertz -> hertz / HERTZ + " MHz");
    }

    /** Version of TensorRT, by its package or else, as in a container, by the name of its library. */
    Optional<String> tensorRt(Packages packages) {
        return packages.version("libnvinfer8").or(() -> library("usr/lib/aarch64-linux-gnu"))
                .or(() -> library("usr/lib/x86_64-linux-gnu"));
    }

    private Optional<String> library(String folder) {
        return files.names(folder, "libnvinfer\\.so\\.\\d{1,3}(\\.\\d{1,3}){2,3}").stream().findFirst()
                .map(name -> name.substring("libnvinfer.so.".length()));
    }
}
