package dev.shrike.app.bench.harness;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.StageTimes;
import dev.shrike.app.device.RecordedDevice;
import dev.shrike.app.device.SystemFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who runs when, and what counts as a disturbance; nothing here depends on how quick the machine is. */
@Tag("any-processor")
class HarnessTest {
    @TempDir
    private Path root;

    private final List<String> order = new ArrayList<>();

    /** Does nothing but say that it ran. */
    private Contestant contestant(String name, StageTimes stages) {
        return new Contestant() {
            @Override
            public String description() {
                return name;
            }

            @Override
            public void run() {
                order.add(name);
            }

            @Override
            public StageTimes stages() {
                return stages;
            }

            @Override
            public void close() {}
        };
    }

    private Harness.Outcome measure(Pace pace, int runs, int rounds, Contestant... contestants) {
        return new Harness(new SystemFiles(root), pace, new Stopping(runs, rounds, 1e-9, 0.5))
                .measure(List.of(contestants), (_, _) -> {});
    }

    @Test
    void contestantsRunInTurnAndEachIsFirstAtTimes() {
        Harness.Outcome outcome = measure(Pace.BACK_TO_BACK, 2, 6, contestant("a", null),
                contestant("b", new StageTimes(1, 2, 3)));
        List<String> measured = order.subList(order.size() - 24, order.size());
        for (int round = 0; round < 6; round++) {
            List<String> turn = measured.subList(4 * round, 4 * round + 4);
            assertEquals(round % 2 == 0 ? List.of("b", "b", "a", "a") : List.of("a", "a", "b", "b"), turn);
        }
        Recording first = outcome.recordings().getFirst();
        Recording second = outcome.recordings().getLast();
        assertEquals(12, first.count());
        assertEquals(12, second.count());
        assertArrayEquals(first.totals(), first.networks(), "without stages all of a run is the network");
        assertArrayEquals(new long[] {2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2}, second.networks());
        assertEquals(6, first.roundTotals().length);
        double[] stages = second.meanStages();
        assertEquals(Arrays.stream(second.totals()).average().orElse(0), Arrays.stream(stages).sum(), 1e-6,
                "the stages are all of the wall time");
        assertTrue(first.staged() != second.staged());
        assertTrue(outcome.warmUps().stream().allMatch(warm -> warm.runs() >= 0));
        assertTrue(outcome.gigahertz() > 0);
    }

    @Test
    void pacedRunsWaitForTheirTick() {
        long begin = System.nanoTime();
        Harness.Outcome outcome = measure(new Pace(200, 0), 1, 5, contestant("a", null));
        long[] starts = outcome.recordings().getFirst().starts();
        for (int i = 0; i < starts.length; i++) {
            assertTrue(starts[i] - begin >= i * 5_000_000L, "run " + i);
        }
    }

    @Test
    void longRunsGoOnForTheirTime() {
        long begin = System.nanoTime();
        Harness.Outcome outcome = measure(new Pace(100, 0.005), 1, 1, contestant("a", null));
        assertTrue(System.nanoTime() - begin >= 0.3e9);
        assertTrue(outcome.recordings().getFirst().count() >= 1);
    }

    /** A run that takes longer than all of the time there is: the warm-up has used it up, and no round is added. */
    @Test
    void theTimeOfTheWarmUpCounts() {
        Contestant slow = new Contestant() {
            @Override
            public String description() {
                return "slow";
            }

            @Override
            public void run() {
                order.add("slow");
                Pace.await(System.nanoTime() + 30_000_000L);
            }

            @Override
            public StageTimes stages() {
                return null;
            }

            @Override
            public void close() {}
        };
        new Harness(new SystemFiles(root), Pace.BACK_TO_BACK, new Stopping(1, 1, 0.02, 1e-9)).measure(List.of(slow),
                (_, _) -> {});
        assertEquals(2, order.size(), "one run to become warm and the round that there is at least");
    }

    @Test
    void roundsAreMediansOfTheirRuns() {
        assertArrayEquals(new double[] {2, 5}, Recording.rounds(new long[] {1_000_000, 9_000_000, 2_000_000, 5_000_000,
                4_000_000, 6_000_000, 7_000_000}, 7, 3));
    }

    @Test
    void disturbancesAreToldWithTheirSize() {
        RecordedDevice.unpack("raspberry-pi-4b", root);
        SystemFiles files = new SystemFiles(root);
        double[] steady = new double[100];
        Arrays.fill(steady, 1000);
        assertEquals(List.of(), new Disturbance(files).find(steady, List.of()).reasons());
        double[] slower = steady.clone();
        Arrays.fill(slower, 50, 100, 1200);
        assertEquals(0.2, Disturbance.slowdown(slower), 1e-9);
        slower[3] = 90_000;
        assertEquals(0.2, Disturbance.slowdown(slower), 1e-9, "one interruption is none of the clock");
        Disturbance disturbance = new Disturbance(files);
        RecordedDevice.put(root, "proc/pressure/cpu", "some avg10=0.00 avg60=0.12 avg300=0.20 total=999994512387\n");
        RecordedDevice.put(root, "proc/stat", "cpu  10132253 290696 3084719 46828483 16683 0 25195 100 0 0\n");
        RecordedDevice.put(root, "proc/self/task/1202/status", "nonvoluntary_ctxt_switches:\t99999999\n");
        RecordedDevice.put(root, "sys/devices/platform/soc/soc:firmware/get_throttled", "d0008\n");
        List<String> reasons = disturbance.find(slower, List.of("throttled")).reasons();
        assertEquals(6, reasons.size(), reasons.toString());
        for (String part : List.of("100.0 % of the time a task waited", "50.0 % of the processors' time",
                "another task took the place", "20.0 % longer", "soft temperature limit", "throttled")) {
            assertTrue(reasons.stream().anyMatch(reason -> reason.contains(part)), part + " in " + reasons);
        }
    }

    @Test
    void configurationsAreTheSameAfterACommandLine() {
        for (Optional<Path> image : List.of(Optional.<Path>empty(), Optional.of(Path.of("a b.png")))) {
            Configuration configuration = new Configuration("cpu", Path.of("/x/m.onnx"), "w8a8", 640, 384, 4, 2, image);
            assertEquals(configuration, Configuration.parse(configuration.arguments()));
        }
        assertThrows(IllegalArgumentException.class, () -> Configuration.parse(List.of("cpu")));
        assertThrows(IllegalArgumentException.class,
                () -> new Configuration("cpu", Path.of("m"), "float", 640, 640, 0, 1, Optional.empty()));
    }

    @Test
    void absurdSettingsAreRefused() {
        for (double value : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThrows(IllegalArgumentException.class, () -> new Pace(value, 0));
            assertThrows(IllegalArgumentException.class, () -> new Pace(0, value));
            assertThrows(IllegalArgumentException.class, () -> new Stopping(1, 1, value, 0.1));
            assertThrows(IllegalArgumentException.class, () -> new Stopping(1, 1, 1, value));
        }
        assertThrows(IllegalArgumentException.class, () -> new Stopping(0, 1, 1, 0.1));
        assertEquals("long, paced 30", new Pace(30, 30).mode());
    }
}
