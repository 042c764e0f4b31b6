package dev.shrike.app.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.app.Main;
import dev.shrike.app.ToyModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code shrike serve --check}: what is found before a service starts. */
class ServeCheckTest {
    @TempDir
    private Path folder;
    private Path model;
    private Path config;

    private record Outcome(int exit, String out, String err) {}

    @BeforeEach
    void write() throws IOException {
        model = ToyModel.write(folder.resolve("toy.onnx"));
        config = Files.writeString(folder.resolve("config.yaml"), "model: {weights: " + model + "}\n"
                + "cameras: {front: {source: 'test://pattern'}}\nengine: {threads: 1}\n");
    }

    private Outcome check(String... more) {
        List<String> args = new ArrayList<>(List.of("serve", "--config", config.toString()));
        args.addAll(List.of(more));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = Main.run(args.toArray(String[]::new), new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Outcome(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    @Test
    void aGoodConfigurationPassesEachCheck() {
        for (String how : List.of("--check", "--check=config", "--check=model", "--check=full")) {
            Outcome outcome = check(how);
            assertEquals(0, outcome.exit(), how + ": " + outcome.err());
            assertTrue(outcome.out().contains("the configuration can be used: cameras front"), outcome.out());
            assertEquals(!how.endsWith("config"), outcome.err().contains("model " + model), outcome.err());
        }
    }

    @Test
    void engineModelAndClassesAreTried() throws IOException {
        Outcome outcome = check("--check", "--set", "engine.name=abacus");
        assertEquals(2, outcome.exit(), outcome.err());
        assertTrue(outcome.err().contains("abacus"), outcome.err());
        assertEquals(0, check("--check=config", "--set", "engine.name=abacus").exit());
        outcome = check("--check", "--set", "model.classes=unicorn");
        assertEquals(2, outcome.exit(), outcome.err());
        assertTrue(outcome.err().contains("unicorn"), outcome.err());
        Files.writeString(model, "no network");
        outcome = check("--check");
        assertEquals(2, outcome.exit(), outcome.err());
        assertTrue(outcome.err().contains("toy.onnx"), outcome.err());
        outcome = check("--check", "--set", "model.weights=" + folder.resolve("none.onnx"));
        assertEquals(2, outcome.exit(), outcome.err());
        assertTrue(outcome.err().contains("none.onnx"), outcome.err());
    }

    @Test
    void theBrokerIsAskedForByTheFullCheckAlone() throws IOException {
        int closed;
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            closed = server.getLocalPort();
            String broker = "outputs.mqtt.broker=mqtt://127.0.0.1:" + closed;
            assertEquals(0, check("--check=full", "--set", broker).exit());
        }
        String broker = "outputs.mqtt.broker=mqtt://127.0.0.1:" + closed;
        assertEquals(0, check("--check", "--set", broker).exit());
        Outcome outcome = check("--check=full", "--set", broker);
        assertEquals(2, outcome.exit());
        assertTrue(outcome.err().contains("outputs.mqtt.broker: cannot be reached"), outcome.err());
    }

    @Test
    void nonsenseIsNamed() {
        Outcome outcome = check("--check", "--set", "nonsense");
        assertEquals(2, outcome.exit());
        assertTrue(outcome.err().contains("--set nonsense: is no KEY=VALUE"), outcome.err());
        assertEquals(2, check("--check", "--set", "=1").exit());
        outcome = check("--check=everything");
        assertEquals(2, outcome.exit());
        assertTrue(outcome.err().contains("config, model, full"), outcome.err());
    }

    @Test
    void valuesInCommentsStayAsTheyAreWritten() {
        Outcome outcome = check("--print-config");
        assertEquals(0, outcome.exit());
        for (String wrong : List.of("# Cpu", "# Mqtt://", "# Tensorrt")) {
            assertFalse(outcome.out().contains(wrong), wrong);
        }
        assertTrue(outcome.out().contains("# cpu or tensorrt;") && outcome.out().contains("# mqtt://HOST:PORT"));
        assertTrue(outcome.out().contains("# Side of the network's input"), "sentences begin as such");
    }
}
