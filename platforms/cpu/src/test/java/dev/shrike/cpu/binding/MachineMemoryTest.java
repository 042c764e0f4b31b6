package dev.shrike.cpu.binding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.DeviceException;
import dev.shrike.cpu.CpuBackend;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.spi.ExecutorOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineMemoryTest {
    @TempDir
    private Path folder;

    @Test
    void theLessOfMachineAndGroupCounts() throws IOException {
        Path machine = Files.writeString(folder.resolve("meminfo"), "MemTotal: 9000 kB\nMemAvailable:    5000 kB\n");
        assertEquals(OptionalLong.of(5_120_000), MachineMemory.available(machine, folder));
        Files.writeString(folder.resolve("memory.max"), "max\n");
        Files.writeString(folder.resolve("memory.current"), "1000000\n");
        assertEquals(OptionalLong.of(5_120_000), MachineMemory.available(machine, folder));
        Files.writeString(folder.resolve("memory.max"), "3000000\n");
        assertEquals(OptionalLong.of(2_000_000), MachineMemory.available(machine, folder));
        Files.writeString(folder.resolve("memory.stat"), "anon 400000\nfile 600000\n");
        assertEquals(OptionalLong.of(2_600_000), MachineMemory.available(machine, folder));
        Files.writeString(machine, "nonsense\nMemAvailable:\n");
        assertEquals(OptionalLong.of(2_600_000), MachineMemory.available(machine, folder));
        assertEquals(OptionalLong.empty(), MachineMemory.available(machine, folder.resolve("none")));
    }

    /** Each value is below the limit for one, all together are 400 GiB. */
    @Test
    void aNetworkThatNoMachineHoldsIsRefused() {
        Shape shape = Shape.of(1, 1, 1 << 14, (1 << 15) - 1);
        List<Node> nodes = new ArrayList<>();
        List<ValueInfo> outputs = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            nodes.add(new Node("u" + i, Op.Unary.of(Op.Unary.Kind.TANH), List.of("x"), List.of("u" + i)));
            outputs.add(new ValueInfo("u" + i, DataType.FLOAT32, shape));
        }
        Graph graph = new Graph("huge", List.of(new ValueInfo("x", DataType.FLOAT32, shape)), outputs, nodes, Map.of(),
                Map.of(), Map.of());
        DeviceException e = assertThrows(DeviceException.class,
                () -> new CpuBackend().open(graph, ExecutorOptions.DEFAULT.withThreads(1)));
        assertTrue(e.getMessage().contains("huge") && e.getMessage().contains("smaller input size"), e.getMessage());
    }
}
