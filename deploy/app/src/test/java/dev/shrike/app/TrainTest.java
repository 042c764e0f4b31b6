package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code shrike train} as far as it goes without PyTorch: arguments and data. */
@Tag("any-processor")
class TrainTest {
    @TempDir
    Path folder;

    private record Outcome(int exit, String out, String err) {}

    private static Outcome run(List<String> args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = Main.run(args.toArray(String[]::new), new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Outcome(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private Outcome train(String... more) {
        List<String> args = new ArrayList<>(List.of("train", folder.resolve("net.onnx").toString(), "--data",
                folder.resolve("data.yaml").toString(), "-o", folder.resolve("out.onnx").toString()));
        args.addAll(List.of(more));
        return run(args);
    }

    @BeforeEach
    void files() throws IOException {
        Files.createFile(folder.resolve("net.onnx"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "--epochs 0|epochs 0",
            "--batch 0|batch 0",
            "--lr -1|learning rate -1.0",
            "--lr NaN|learning rate NaN",
            "--optimizer adam|neither sgd nor adamw",
            "--device tpu|neither cpu nor cuda",
            "--threads -1|number of threads -1",
            "--freeze -1|-1 modules",
            "--mosaic 2|mosaic 2.0",
            "--imgsz 8|--imgsz 8",
            "-o out.pt|does not end in .onnx"
    })
    void whatMakesNoSenseIsUsage(String args, String message) {
        Outcome outcome = train(args.split(" "));
        assertEquals(2, outcome.exit(), outcome.err());
        assertTrue(outcome.err().contains(message), outcome.err());
        assertFalse(Files.exists(folder.resolve("out-train")));
    }

    @Test
    void dataThatIsMissingIsNamed() {
        Outcome outcome = train();
        assertEquals(1, outcome.exit());
        assertTrue(outcome.err().contains("data.yaml") && outcome.err().contains("no such file"), outcome.err());
    }

    @Test
    void theOutputIsNotTheInput() {
        Outcome outcome = train("-o", folder.resolve("net.onnx").toString());
        assertEquals(2, outcome.exit(), outcome.err());
        assertTrue(outcome.err().contains("is the file that is read"), outcome.err());
    }

    @Test
    void theShortHelpLeavesOutWhatFewNeed() {
        Outcome few = run(List.of("train", "--help"));
        Outcome all = run(List.of("train", "--help-all"));
        assertEquals(0, few.exit());
        assertTrue(few.out().contains("--resume") && !few.out().contains("--nominal-batch"), few.out());
        assertTrue(all.out().contains("--nominal-batch") && all.out().contains("--weight-decay"), all.out());
    }
}
