package dev.shrike.app.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class BoardSensorsTest {
    @TempDir
    private Path root;

    @Test
    void aRaspberryPiTellsWhatSlowsItDown() throws IOException {
        file("sys/class/thermal/thermal_zone0/type", "cpu-thermal");
        file("sys/class/thermal/thermal_zone0/temp", "81234");
        file("sys/devices/platform/soc/soc:firmware/get_throttled", "0xd0005");
        file("proc/self/status", "Name:\tjava\nVmRSS:\t  204800 kB\n");
        BoardSensors.Reading reading = new BoardSensors(root).read();
        assertEquals(81.234, reading.celsius().orElseThrow());
        assertEquals(List.of("under-voltage", "throttled"), reading.throttling());
        assertEquals(List.of("under-voltage", "throttled", "soft temperature limit"), reading.earlier());
        assertEquals(200L << 20, reading.residentBytes());
    }

    @Test
    void aJetsonsPmicAndFanAreLeftOut() throws IOException {
        file("sys/class/thermal/thermal_zone0/type", "CPU-therm");
        file("sys/class/thermal/thermal_zone0/temp", "45500");
        file("sys/class/thermal/thermal_zone1/type", "PMIC-Die");
        file("sys/class/thermal/thermal_zone1/temp", "100000");
        file("sys/class/thermal/cooling_device0/type", "pwm-fan");
        file("sys/class/thermal/cooling_device0/cur_state", "3");
        file("sys/class/thermal/cooling_device1/type", "thermal-cpufreq-0");
        file("sys/class/thermal/cooling_device1/cur_state", "2");
        BoardSensors.Reading reading = new BoardSensors(root).read();
        assertEquals(45.5, reading.celsius().orElseThrow());
        assertEquals(List.of("slowed down by thermal-cpufreq-0"), reading.throttling());
    }

    @Test
    void whatIsNotThereOrOddIsNotKnown() throws IOException {
        assertEquals(OptionalDouble.empty(), new BoardSensors(root).read().celsius());
        file("sys/class/thermal/thermal_zone0/temp", "hot");
        file("sys/devices/platform/soc/soc:firmware/get_throttled", "0xzz");
        file("proc/self/status", "VmRSS: many\n");
        BoardSensors.Reading reading = new BoardSensors(root).read();
        assertEquals(OptionalDouble.empty(), reading.celsius());
        assertTrue(reading.throttling().isEmpty());
        assertEquals(0, reading.residentBytes());
    }

    private void file(String path, String text) throws IOException {
        Files.createDirectories(root.resolve(path).getParent());
        Files.writeString(root.resolve(path), text + "\n");
    }
}
