package dev.shrike.app.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.app.Main;
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
            "--epochs 0|epochs 0 is not within 1 to 1000000",
            "--epochs -1|epochs -1 is not within 1 to 1000000",
            "--batch 0|batch 0 is not within 1 to 65536",
            "--lr -1|learning rate -1 is not above 0 and at most 10",
            "--lr 0|learning rate 0 is not above 0 and at most 10",
            "--lr NaN|learning rate NaN",
            "--optimizer adam|neither sgd nor adamw",
            "--device tpu|neither cpu nor cuda",
            "--threads -1|number of threads -1",
            "--freeze -1|-1 modules",
            "--mosaic 2|mosaic 2 is not within 0 to 1",
            "--imgsz 8|--imgsz 8",
            "--sparse hard|none of constant, cosine",
            "--sparse constant --sparse-factor 2|factor of sparse training 2 is not above 0 and at most 1",
            "--sparse-factor 0.1|--sparse-factor is for --sparse",
            "--scheme w9a2|of the form w4a4, with 1 to 8 bits each",
            "--scheme w0a1|of the form w4a4, with 1 to 8 bits each",
            "--scheme w2a2 --qat nipq|give --scheme auto and one of --avg-bits and --bops",
            "--scheme auto --qat nipq|give --scheme auto and one of --avg-bits and --bops",
            "--scheme auto --qat nipq --avg-bits 3 --bops 2|give --scheme auto and one of --avg-bits and --bops",
            "--scheme auto --avg-bits 3 --bops 2|--bops is for --scheme auto --qat nipq",
            "--scheme auto --qat nipq --bops 0|--bops 0",
            "--bops 3|--bops is for --scheme",
            "--qat lsq|--qat is for --scheme",
            "--scheme w2a2 --qat adaround|none of lsq, drgs, nipq",
            "--scheme auto|needs --avg-bits",
            "--scheme w2a2 --avg-bits 3|--avg-bits is for --scheme auto",
            "--scheme auto --avg-bits 1|not within 2 to 8",
            "--scheme w2a2 --sparse constant|--sparse is for float networks",
            "--scheme w2a2 --prune-schedule 0.5|--prune-schedule is for float networks",
            "--prune-schedule 0.5,0.7|must fall",
            "--no-labels|needs a --teacher",
            "--scheme w2a2 --teacher none --no-labels|needs a --teacher",
            "--teacher t.onnx --teacher-weight 0 --feature-weight 0|weights 0 and 0",
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

    @Test
    void whatIsLeftBehindIsNamedAsFarAsItIsThere() throws IOException {
        assertTrue(TrainRun.leftBehind(folder).startsWith("networks and figures of all rounds: "));
        Files.createFile(folder.resolve("results.csv"));
        assertTrue(TrainRun.leftBehind(folder).startsWith("figures and the last network: "));
        Files.createFile(folder.resolve("results.png"));
        assertTrue(TrainRun.leftBehind(folder).startsWith("curves and the last network: "));
    }
}
