package dev.shrike.app.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Temperatures of a machine. Zones that tell nothing are left out: the PMIC of a Jetson always says 100 degrees, and
 * sensors that are switched off give values that no running chip has.
 */
public final class ThermalZones {
    private static final int MOST_ZONES = 64;
    private static final double COLDEST = -40;
    private static final double HOTTEST = 125;
    private static final double MILLI = 1000;

    private ThermalZones() {}

    /**
     * A sensor.
     *
     * @param name what it measures, as the kernel calls it
     * @param celsius degrees
     */
    public record Zone(String name, double celsius) {}

    /** The zones that can be believed, in the kernel's order. */
    public static List<Zone> read(SystemFiles files) {
        List<Zone> zones = new ArrayList<>();
        for (int i = 0; i < MOST_ZONES; i++) {
            String folder = "sys/class/thermal/thermal_zone" + i + "/";
            String name = files.text(folder + "type").map(SystemFiles::word).orElse("zone " + i);
            files.number(folder + "temp").map(value -> value / MILLI).filter(celsius -> believable(name, celsius))
                    .ifPresent(celsius -> zones.add(new Zone(name, celsius)));
        }
        return List.copyOf(zones);
    }

    /** 0 is what a sensor says that is not powered; no chip that runs this is so cold by chance. */
    private static boolean believable(String name, double celsius) {
        return celsius > COLDEST && celsius < HOTTEST && celsius != 0
                && !name.toLowerCase(Locale.ROOT).startsWith("pmic");
    }
}
