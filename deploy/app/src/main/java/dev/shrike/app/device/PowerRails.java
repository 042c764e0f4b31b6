package dev.shrike.app.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The power that a board takes, by rail, where it has meters: the INA3221 of a Jetson. A Raspberry Pi 4 has none.
 *
 * @param rails the rails, in the meter's order
 */
public record PowerRails(List<Rail> rails) {
    /** The rail that everything on the module draws from. */
    private static final String TOTAL = "VDD_IN";
    private static final String HWMON = "sys/class/hwmon/";
    private static final String I2C = "sys/bus/i2c/devices/";
    private static final double MICRO = 1e6;
    private static final double MOST_WATTS = 200;

    /**
     * A rail.
     *
     * @param name its label
     * @param watts what it carries now
     */
    public record Rail(String name, double watts) {}

    public PowerRails {
        rails = List.copyOf(rails);
    }

    /** What the meters say now; no rails if there are none. */
    public static PowerRails read(SystemFiles files) {
        List<String> monitors = new ArrayList<>();
        files.names(HWMON, "hwmon\\d{1,4}").forEach(name -> monitors.add(HWMON + name + "/"));
        for (String chip : files.names(I2C, "\\d{1,2}-004[0-3]")) {
            files.names(I2C + chip + "/hwmon", "hwmon\\d{1,4}")
                    .forEach(name -> monitors.add(I2C + chip + "/hwmon/" + name + "/"));
        }
        List<Rail> rails = new ArrayList<>();
        for (String monitor : monitors) {
            for (int channel = 1; channel <= 8; channel++) {
                rail(files, monitor, channel).filter(found -> rails.stream()
                        .noneMatch(other -> other.name().equals(found.name()))).ifPresent(rails::add);
            }
        }
        return new PowerRails(rails);
    }

    private static Optional<Rail> rail(SystemFiles files, String monitor, int channel) {
        Optional<Long> millivolts = files.number(monitor + "in" + channel + "_input");
        Optional<Long> milliamperes = files.number(monitor + "curr" + channel + "_input");
        Optional<String> label = files.text(monitor + "in" + channel + "_label").map(SystemFiles::word);
        if (millivolts.isEmpty() || milliamperes.isEmpty() || label.isEmpty()) {
            return Optional.empty();
        }
        double watts = millivolts.get() * (double) milliamperes.get() / MICRO;
        return watts < 0 || watts > MOST_WATTS ? Optional.empty() : Optional.of(new Rail(label.get(), watts));
    }

    /** What the whole module takes, in watts. */
    public Optional<Double> total() {
        return rails.stream().filter(rail -> rail.name().equals(TOTAL)).map(Rail::watts).findFirst();
    }
}
