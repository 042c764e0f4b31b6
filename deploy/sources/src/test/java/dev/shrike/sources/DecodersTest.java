package dev.shrike.sources;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("any-processor")
class DecodersTest {
    private static Decoders board(Path root, String model) throws IOException {
        Files.writeString(Files.createDirectories(root.resolve("proc/device-tree")).resolve("model"), model + "\0");
        return Decoders.of(root);
    }

    @ParameterizedTest
    @CsvSource({"Raspberry Pi 4 Model B Rev 1.5,h264,h264_v4l2m2m",
            "Raspberry Pi 3 Model B Plus Rev 1.3,h264,h264_v4l2m2m",
            "Raspberry Pi Zero 2 W Rev 1.0,h264,h264_v4l2m2m",
            "Raspberry Pi Compute Module 4 Rev 1.0,h264,h264_v4l2m2m",
            "Raspberry Pi 4 Model B Rev 1.5,hevc,", "Raspberry Pi 5 Model B Rev 1.0,h264,",
            "Raspberry Pi Compute Module 5 Rev 1.0,h264,", "NVIDIA Jetson Xavier NX Developer Kit,h264,"})
    void theChipOfARaspberryPiIsTriedFirst(String model, String codec, String first, @TempDir Path root)
            throws IOException {
        List<String> expected = first == null ? List.of() : List.of(first);
        assertEquals(expected, board(root, model).toTry("", codec));
    }

    @Test
    void aMachineWithoutADeviceTreeHasTheUsualDecoder(@TempDir Path root) {
        assertEquals(List.of(), Decoders.of(root).toTry("", "h264"));
    }

    @Test
    void whatIsAskedForIsTriedInsteadOfTheChip(@TempDir Path root) throws IOException {
        Decoders pi = board(root, "Raspberry Pi 4 Model B Rev 1.5");
        assertEquals(List.of("libopenh264"), pi.toTry("libopenh264", "h264"));
    }

    @Test
    void aDecoderThatDoesNotOpenIsPassedOver(@TempDir Path root) throws IOException {
        Decoders pi = board(root, "Raspberry Pi 4 Model B Rev 1.5");
        List<String> tried = new ArrayList<>();
        assertEquals(Optional.empty(), pi.first("", "h264", name -> {
            tried.add(name);
            return false;
        }));
        assertEquals(List.of("h264_v4l2m2m"), tried, "the usual one is left to the caller");
        assertEquals(Optional.of("h264_v4l2m2m"), pi.first("", "h264", name -> true));
    }

    @Test
    void chipsLoseTheTimeOfAPacket() {
        assertFalse(Decoders.keepsOpaque("h264_v4l2m2m"));
        assertTrue(Decoders.keepsOpaque("h264"));
    }
}
