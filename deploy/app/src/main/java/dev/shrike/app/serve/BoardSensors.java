package dev.shrike.app.serve;

import dev.shrike.app.device.ProcessMemory;
import dev.shrike.app.device.SystemFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/** How the board does, by files of the kernel below a root: temperature, throttling, memory of this process. */
final class BoardSensors {
    private static final int MOST_BYTES = 4096;
    /** Bits of the Raspberry Pi's firmware, those of now; 16 places higher the same since boot. */
    private static final List<String> THROTTLING = List.of("under-voltage", "clock capped", "throttled",
            "soft temperature limit");
    private static final int SINCE_BOOT = 16;

    private final Path root;

    BoardSensors(Path root) {
        this.root = root;
    }

    /**
     * What the files say.
     *
     * @param celsius of the hottest zone
     * @param throttling what slows the board down now, in words
     * @param earlier what did since boot
     * @param residentBytes memory of this process
     */
    record Reading(OptionalDouble celsius, List<String> throttling, List<String> earlier, long residentBytes) {}

    Reading read() {
        List<String> now = new ArrayList<>();
        List<String> earlier = new ArrayList<>();
        firmware(now, earlier);
        cooling(now);
        return new Reading(hottest(), List.copyOf(now), List.copyOf(earlier),
                ProcessMemory.resident(new SystemFiles(root)).orElse(0L));
    }

    private OptionalDouble hottest() {
        double hottest = Double.NEGATIVE_INFINITY;
        for (Path zone : entries("sys/class/thermal", "thermal_zone*")) {
            // The PMIC of a Jetson always says 100 degrees.
            if (text(zone.resolve("type")).orElse("").startsWith("PMIC")) {
                continue;
            }
            Optional<Long> milli = number(zone.resolve("temp"));
            if (milli.isPresent() && milli.get() > 0 && milli.get() < 200_000) {
                hottest = Math.max(hottest, milli.get() / 1000.0);
            }
        }
        return Double.isFinite(hottest) ? OptionalDouble.of(hottest) : OptionalDouble.empty();
    }

    private void firmware(List<String> now, List<String> earlier) {
        Optional<String> text = text(root.resolve("sys/devices/platform/soc/soc:firmware/get_throttled"));
        if (text.isEmpty() || !text.get().matches("(0x)?[0-9a-fA-F]{1,8}")) {
            return;
        }
        long bits = Long.parseLong(text.get().replaceFirst("^0x", ""), 16);
        for (int i = 0; i < THROTTLING.size(); i++) {
            if ((bits >> i & 1) != 0) {
                now.add(THROTTLING.get(i));
            }
            if ((bits >> i + SINCE_BOOT & 1) != 0) {
                earlier.add(THROTTLING.get(i));
            }
        }
    }

    /** Cooling that lowers clocks, as a Jetson's does; fans are cooling too, but slow nothing down. */
    private void cooling(List<String> now) {
        for (Path device : entries("sys/class/thermal", "cooling_device*")) {
            String type = text(device.resolve("type")).orElse("");
            boolean slows = type.contains("cpufreq") || type.contains("devfreq") || type.contains("throttle");
            if (slows && number(device.resolve("cur_state")).orElse(0L) > 0) {
                now.add("slowed down by " + type.replaceAll("[^A-Za-z0-9_.-]", ""));
            }
        }
    }

    private List<Path> entries(String folder, String pattern) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(root.resolve(folder), pattern)) {
            for (Path entry : stream) {
                if (found.size() < 64) {
                    found.add(entry);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            return List.of();
        }
        return found;
    }

    private static Optional<Long> number(Path file) {
        return text(file).filter(text -> text.matches("-?\\d{1,15}")).map(Long::parseLong);
    }

    private static Optional<String> text(Path file) {
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try (var in = Files.newInputStream(file)) {
            return Optional.of(new String(in.readNBytes(MOST_BYTES), StandardCharsets.UTF_8).strip());
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
