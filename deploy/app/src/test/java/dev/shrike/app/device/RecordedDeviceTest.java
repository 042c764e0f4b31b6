package dev.shrike.app.device;

import static dev.shrike.app.device.RecordedDevice.put;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is made of the files of a Raspberry Pi 4B and of a Xavier NX, and of files that are missing or absurd. */
@Tag("any-processor")
class RecordedDeviceTest {
    private static final String THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled";

    @TempDir
    private Path root;

    private SystemFiles files() {
        return new SystemFiles(root);
    }

    private Map<String, String> facts() {
        return new Machine(root).lines().stream().collect(Collectors.toMap(Machine.Line::name, Machine.Line::value));
    }

    @Test
    void readsARaspberryPi() {
        RecordedDevice.unpack("raspberry-pi-4b", root);
        Map<String, String> facts = facts();
        assertEquals("Raspberry Pi 4 Model B Rev 1.5", facts.get("board"));
        assertEquals("BCM2711 (4 x Cortex-A72)", facts.get("SoC"));
        assertEquals("4 x Cortex-A72", facts.get("processor"));
        assertEquals("ondemand", facts.get("governor"));
        assertEquals("1800 MHz of at most 1800 MHz", facts.get("clock"));
        assertEquals("61 °C in the hottest zone", facts.get("temperature"));
        assertEquals("bluetooth off, wlan on", facts.get("radios"));
        assertEquals("on (labwc)", facts.get("desktop"));
        assertEquals("none now; since the boot: under-voltage, throttled", facts.get("throttling"));
        assertFalse(facts.containsKey("power"), "it has no meter");
        assertEquals(Optional.empty(), PowerRails.read(files()).total());
        assertEquals(Optional.of(196608L << 10), ProcessMemory.resident(files()));
        assertEquals(Optional.of(262144L << 10), ProcessMemory.peak(files()));
        assertEquals(Optional.of(4.0), CorePeak.of(files()).macsPerCycle("conv_f32 acl 3x3s1 16->16 160x160"));
        assertEquals(Optional.of(8.0), CorePeak.of(files()).macsPerCycle("conv2d_q_igemm w8a8 3x3s1"));
        assertEquals(85.3 / 4, CorePeak.of(files()).macsPerCycle("conv2d_bitserial_4x4 w2a2 3x3s1").orElseThrow(),
                1e-9);
    }

    @Test
    void readsAXavier() {
        RecordedDevice.unpack("jetson-xavier-nx", root);
        Map<String, String> facts = facts();
        assertEquals("Tegra194 (Xavier)", facts.get("SoC"));
        assertEquals("8 (MODE_20W_6CORE)", facts.get("power mode"));
        assertEquals("2 x NVIDIA Carmel, 4 of 6 cores are switched off", facts.get("processor"));
        assertEquals("44 °C in the hottest zone", facts.get("temperature"), "not the 100 degrees of the PMIC");
        assertEquals("VDD_IN 6.29 W, VDD_CPU_GPU_CV 1.62 W, VDD_SOC 1.42 W", facts.get("power"));
        assertEquals("none now; oc1_event_cnt 2", facts.get("throttling"));
        assertEquals(5.072 * 1.240, PowerRails.read(files()).total().orElseThrow(), 1e-9);
        assertEquals(List.of("CPU-therm", "GPU-therm", "AUX-therm", "AO-therm", "thermal-fan-est"),
                ThermalZones.read(files()).stream().map(ThermalZones.Zone::name).toList());
        assertEquals(Optional.empty(), CorePeak.of(files()).macsPerCycle("conv_f32 acl"));
    }

    /** Bits that were set before the run are no news; what is so at its beginning or end is. */
    @Test
    void stickyBitsOfBeforeTheRunDoNotCount() {
        RecordedDevice.unpack("raspberry-pi-4b", root);
        Throttling before = Throttling.read(files());
        assertEquals(List.of(), Throttling.read(files()).since(before));
        put(root, THROTTLED, "d0000");
        assertEquals(List.of("soft temperature limit"), Throttling.read(files()).since(before));
        put(root, THROTTLED, "0x50005");
        assertEquals(List.of("under-voltage", "throttled"), Throttling.read(files()).since(before),
                "so now, though it was so before as well");
        Throttling hot = Throttling.read(files());
        put(root, THROTTLED, "50000");
        assertEquals(List.of("under-voltage", "throttled"), Throttling.read(files()).since(hot), "so at the beginning");
    }

    @Test
    void countsOverCurrentOfTheRunAlone() {
        RecordedDevice.unpack("jetson-xavier-nx", root);
        Throttling before = Throttling.read(files());
        assertEquals(List.of(), Throttling.read(files()).since(before));
        put(root, "sys/class/hwmon/hwmon2/oc1_event_cnt", "5\n");
        assertEquals(List.of("over-current (oc1_event_cnt counted 3)"), Throttling.read(files()).since(before));
    }

    @Test
    void absurdValuesAreNotBelieved() {
        RecordedDevice.unpack("jetson-xavier-nx", root);
        put(root, "sys/class/thermal/thermal_zone0/temp", "-2147483648");
        put(root, "sys/class/thermal/thermal_zone1/temp", "327670000");
        put(root, "sys/class/thermal/thermal_zone2/temp", "0");
        put(root, "sys/class/thermal/thermal_zone3/temp", "n/a");
        assertEquals(List.of(43.9), ThermalZones.read(files()).stream().map(ThermalZones.Zone::celsius).toList());
        String meter = "sys/bus/i2c/devices/7-0040/hwmon/hwmon3/";
        put(root, meter + "curr1_input", "-1");
        put(root, meter + "in2_input", "99999999999");
        put(root, meter + "in3_label", "VDD_\u001b[2JSOC" + "x".repeat(500));
        assertEquals(Optional.empty(), PowerRails.read(files()).total());
        assertTrue(PowerRails.read(files()).rails().getFirst().name().length() < 70);
        for (String text : List.of("zz", "", "-1", "fffffffffffffffff", "5 5")) {
            put(root, THROTTLED, text);
            assertFalse(Throttling.read(files()).known(), text);
        }
        put(root, "sys/class/hwmon/hwmon2/oc1_event_cnt", "-7");
        assertEquals(Map.of("oc2_event_cnt", 0L), Throttling.read(files()).events());
        put(root, "proc/stat", "cpu  " + "9".repeat(300) + " 1 2 3\n");
        put(root, "proc/pressure/cpu", "some avg10=0 total=" + "9".repeat(40));
        put(root, "proc/self/task/1/status", "nonvoluntary_ctxt_switches:\tmany");
        Activity activity = Activity.read(files());
        assertEquals(Optional.empty(), activity.stalledSince(activity));
        assertEquals(0, activity.stolenSince(activity));
        assertEquals(Optional.empty(), activity.involuntarySince(activity));
    }

    @Test
    void missingFilesAreNotKnown() {
        assertEquals(List.of(), ThermalZones.read(files()));
        assertEquals(List.of(), PowerRails.read(files()).rails());
        assertFalse(Throttling.read(files()).known());
        assertEquals(Optional.empty(), ProcessMemory.resident(files()));
        Activity before = Activity.read(files());
        assertEquals(Optional.empty(), Activity.read(files()).stalledSince(before));
        assertEquals(Map.of(), facts());
        assertEquals(CorePeak.Core.UNKNOWN, CorePeak.of(files()).core());
    }

    @Test
    void tellsHowTheProcessorsWereShared() {
        RecordedDevice.unpack("raspberry-pi-4b", root);
        Activity now = Activity.read(files());
        assertEquals(4512387, now.stalledMicros());
        assertEquals(17, now.involuntary(), "of all threads");
        long second = 1_000_000_000L;
        Activity later = new Activity(now.nanos() + second, now.stalledMicros() + 250_000, now.stolenTicks() + 4,
                now.ticks() + 400, now.involuntary() + 60);
        assertEquals(0.25, later.stalledSince(now).orElseThrow(), 1e-9);
        assertEquals(0.01, later.stolenSince(now), 1e-9);
        assertEquals(60, later.involuntarySince(now).orElseThrow(), 1e-9);
    }
}
