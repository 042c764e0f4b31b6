package dev.shrike.app.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Whether the board holds itself back: the bits of a Raspberry Pi's firmware, and the events that a Jetson counts.
 *
 * @param bits of {@code get_throttled}; 0 to 3 say what is so now, 16 to 19 what was so since the boot; 0 if there is
 *     no
 *     such file
 * @param known whether there is such a file
 * @param events over-current events since the boot, by the name of their counter
 */
public record Throttling(long bits, boolean known, Map<String, Long> events) {
    private static final String FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled";
    private static final String HWMON = "sys/class/hwmon/";
    private static final List<String> MEANINGS = List.of("under-voltage", "frequency capped", "throttled",
            "soft temperature limit");
    private static final int STICKY = 16;

    public Throttling {
        events = Map.copyOf(events);
    }

    /** What the files say now. */
    public static Throttling read(SystemFiles files) {
        var bits = files.text(FIRMWARE).filter(text -> text.matches("(0x)?[0-9a-fA-F]{1,8}"))
                .map(text -> Long.parseLong(text.startsWith("0x") ? text.substring(2) : text, 16));
        Map<String, Long> events = new TreeMap<>();
        for (String monitor : files.names(HWMON, "hwmon\\d{1,4}")) {
            for (String counter : files.names(HWMON + monitor, "oc\\d{1,2}_event_cnt")) {
                files.number(HWMON + monitor + "/" + counter).filter(count -> count >= 0)
                        .ifPresent(count -> events.merge(counter, count, Long::sum));
            }
        }
        return new Throttling(bits.orElse(0L), bits.isPresent(), events);
    }

    /** What holds the board back at this moment. */
    public List<String> now() {
        return named(bits);
    }

    /** What held it back at some time since the boot. */
    public List<String> sinceBoot() {
        return named(bits >> STICKY);
    }

    /**
     * What held the board back between an earlier reading and this one. What was so since the boot already says nothing
     * about the time between; what is so at one of both moments counts.
     */
    public List<String> since(Throttling before) {
        long fresh = bits >> STICKY & ~(before.bits >> STICKY);
        List<String> causes = new ArrayList<>(named(bits | before.bits & (1L << STICKY) - 1 | fresh));
        events.forEach((name, count) -> {
            long more = count - before.events.getOrDefault(name, count);
            if (more > 0) {
                causes.add("over-current (" + name + " counted " + more + ")");
            }
        });
        return List.copyOf(causes);
    }

    private static List<String> named(long low) {
        List<String> names = new ArrayList<>();
        for (int bit = 0; bit < MEANINGS.size(); bit++) {
            if ((low >> bit & 1) != 0) {
                names.add(MEANINGS.get(bit));
            }
        }
        return List.copyOf(names);
    }
}
