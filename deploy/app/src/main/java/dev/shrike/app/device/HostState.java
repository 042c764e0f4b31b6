package dev.shrike.app.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What runs on a machine beside the work: radios, which take power and interrupts, and a desktop. */
final class HostState {
    private static final String RADIOS = "sys/class/rfkill/";
    private static final Set<String> DESKTOPS = Set.of("Xorg", "Xwayland", "gnome-shell", "kwin_wayland", "labwc",
            "wayfire", "weston", "sway", "lxsession", "lxqt-session", "xfce4-session", "plasmashell", "mutter");

    private final SystemFiles files;

    HostState(SystemFiles files) {
        this.files = files;
    }

    /** Such as {@code "wlan on, bluetooth off"}. */
    Optional<String> radios() {
        List<String> radios = new ArrayList<>();
        for (String name : files.names(RADIOS, "rfkill\\d{1,4}")) {
            String folder = RADIOS + name + "/";
            Optional<String> type = files.text(folder + "type").map(SystemFiles::word);
            Optional<Long> state = files.number(folder + "state");
            if (type.isPresent() && state.isPresent()) {
                radios.add(type.get() + (state.get() == 1 ? " on" : " off"));
            }
        }
        return radios.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", radios));
    }

    /** Whether one of the usual desktops runs; empty if processes cannot be listed. */
    Optional<String> desktop() {
        if (files.text("proc/1/comm").isEmpty()) {
            return Optional.empty();
        }
        Set<String> found = new TreeSet<>();
        for (String process : files.names("proc", "\\d{1,10}")) {
            files.text("proc/" + process + "/comm").filter(DESKTOPS::contains).ifPresent(found::add);
        }
        return Optional.of(found.isEmpty() ? "off" : "on (" + String.join(", ", found) + ")");
    }

    /** The system on a chip, by the device tree. */
    Optional<String> chip() {
        return files.text("proc/device-tree/compatible")
                .flatMap(text -> SystemFiles.find(text, "(bcm\\d{4}|tegra\\d{3})"))
                .map(name -> switch (name) {
                    case "bcm2711" -> "BCM2711 (4 x Cortex-A72)";
                    case "bcm2712" -> "BCM2712 (4 x Cortex-A76)";
                    case "tegra194" -> "Tegra194 (Xavier)";
                    case "tegra234" -> "Tegra234 (Orin)";
                    default -> name;
                });
    }

    /** What holds the board back, now and since the boot. */
    Optional<String> throttling() {
        Throttling throttling = Throttling.read(files);
        if (!throttling.known() && throttling.events().isEmpty()) {
            return Optional.empty();
        }
        List<String> parts = new ArrayList<>();
        parts.add(throttling.now().isEmpty() ? "none now" : "now: " + String.join(", ", throttling.now()));
        if (!throttling.sinceBoot().isEmpty()) {
            parts.add("since the boot: " + String.join(", ", throttling.sinceBoot()));
        }
        throttling.events().forEach((name, count) -> {
            if (count > 0) {
                parts.add(name + " " + count);
            }
        });
        return Optional.of(String.join("; ", parts));
    }

    /** What the rails carry. */
    Optional<String> power() {
        List<String> rails = PowerRails.read(files).rails().stream()
                .map(rail -> rail.name() + " " + String.format(Locale.ROOT, "%.2f W", rail.watts())).toList();
        return rails.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", rails));
    }
}
