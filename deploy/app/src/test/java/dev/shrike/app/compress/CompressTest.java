package dev.shrike.app.compress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ShrikeException;
import dev.shrike.app.Console;
import dev.shrike.app.Main;
import dev.shrike.app.ToyData;
import dev.shrike.app.bench.report.BenchJson;
import dev.shrike.app.bench.report.BenchReport;
import dev.shrike.app.bench.report.ReportFixture;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/**
 * The plan of {@code shrike compress}: which steps there are, what they are given, and that it goes on when stopped.
 */
@Tag("any-processor")
class CompressTest {
    /** Milliseconds and mAP by file, of commands that only pretend. */
    private final Map<String, double[]> figures = new HashMap<>(Map.of("model.onnx", new double[] {40, 0.40},
            "quantized.shrike", new double[] {25, 0.39}, "quantized-codes.shrike", new double[] {25, 0.38},
            "trial.shrike", new double[] {19, 0}, "pruned.onnx",
            new double[] {30, 0.20}, "tuned.onnx",
            new double[] {30, 0.36}, "pruned-quantized.shrike", new double[] {18, 0.35}));

    @TempDir
    private Path folder;

    private Path model;
    private Path work;
    private final List<String> commands = new ArrayList<>();
    /** By how much the machine is slower in each run of the bench, in their order; as quick as ever after these. */
    private final List<Double> slower = new ArrayList<>();
    /** Runs of the bench, from the next on, that are disturbed. */
    private int disturbed;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    @BeforeEach
    void makeModel() throws IOException {
        model = Files.writeString(folder.resolve("model.onnx"), "float");
        work = folder.resolve("work");
    }

    private static final class Killed extends Error {
        private static final long serialVersionUID = 1L;
    }

    /** Leaves the files that the commands would, with figures that are known; ends at a command as a kill would. */
    private StepRunner pretending(int killedAt) {
        return (command, output) -> {
            commands.add(command.getFirst());
            if (commands.size() == killedAt) {
                throw new Killed();
            }
            try {
                switch (command.getFirst()) {
                    case "val" -> Files.writeString(output, "{\"yolo\": {\"mAP50_95\": "
                            + figures.get(name(after(command, "--weights").getFirst()))[1] + "}}");
                    case "bench" -> {
                        double times = slower.isEmpty() ? 1 : slower.removeFirst();
                        List<BenchReport.Result> results = after(command, "--weights").stream()
                                .map(file -> ReportFixture.result(name(file), "cpu", "float",
                                        figures.get(name(file))[0] * times, 1))
                                .toList();
                        String text = BenchJson.text(ReportFixture.report("here", results));
                        if (disturbed-- > 0) {
                            text = text.replace("\"disturbed\":[]", "\"disturbed\":[\"a storm\"]");
                            assertTrue(text.contains("a storm"), text);
                        }
                        Files.writeString(Path.of(after(command, "--json").getFirst()), text);
                    }
                    default -> Files.writeString(Path.of(after(command, "-o").getFirst()), command.getFirst());
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return 0;
        };
    }

    private static List<String> after(List<String> command, String option) {
        return command.stream().skip(command.indexOf(option) + 1L).takeWhile(word -> !word.startsWith("-")).toList();
    }

    private static String name(String file) {
        return Path.of(file).getFileName().toString();
    }

    private CompressRequest request(double budget, boolean share, boolean labels) {
        return new CompressRequest(model, "00", "images", labels ? Optional.of("labels.yaml") : Optional.empty(),
                budget,
                share, Optional.empty(), "w8a8", 64, 10, 1, 0, 1);
    }

    private int run(CompressRequest request, Optional<String> obstacle, StepRunner runner) {
        Console console = new Console(out, new PrintStream(OutputStream.nullOutputStream()), false, false);
        return new CompressRun(console, request, work, () -> obstacle, runner, true).run();
    }

    private static List<String> roundsFrom(int first) {
        return IntStream.rangeClosed(first, 4).boxed().flatMap(
                round -> Stream.of("prune-", "quantize-trial-", "build-trial-", "bench-trial-")
                        .map(name -> name + round))
                .toList();
    }

    private List<String> skipped() {
        return CompressPlan.read(work.resolve("plan.json")).steps().stream()
                .filter(step -> step.state() == CompressPlan.State.SKIPPED).map(CompressPlan.Step::name).toList();
    }

    private String report() throws IOException {
        return Files.readString(work.resolve("report.md"));
    }

    @Test
    void quantisingAloneIsEnoughWhereItIsQuickEnough() throws IOException {
        assertEquals(0, run(request(30, false, true), Optional.empty(), pretending(0)));
        assertEquals(List.of("val", "bench", "quantize", "build", "val", "bench", "bench"), commands);
        assertTrue(skipped().contains("prune") && skipped().contains("train"), skipped().toString());
        assertTrue(report().contains("Taken: quantized"), report());
        assertTrue(report().contains("within 30.00 ms"), "why nothing was pruned: " + report());
    }

    /** Codes in front of activation functions cost little and no pruning: they come first where they are enough. */
    @Test
    void codesBeforeActivationFunctionsComeBeforePruning() throws IOException {
        figures.put("quantized-codes.shrike", new double[] {20, 0.385});
        assertEquals(0, run(request(0.5, true, true), Optional.empty(), pretending(0)));
        CompressPlan plan = CompressPlan.read(work.resolve("plan.json"));
        assertEquals("8", after(plan.step("quantize-quantized-codes").command(), "--pre-activations").getFirst());
        assertFalse(plan.step("quantize-quantized").command().contains("--pre-activations"));
        assertTrue(skipped().contains("prune") && !commands.contains("prune"), commands.toString());
        assertTrue(report().contains("Taken: quantized-codes"), report());
        assertTrue(report().contains("| quantized | quantized.shrike |"), "what else was tried: " + report());
    }

    /** Where they are quicker and not enough, they are the form of what is pruned; where they are not, they are not. */
    @Test
    void prunedNetworksHaveTheQuickerForm() throws IOException {
        figures.put("quantized-codes.shrike", new double[] {22, 0.385});
        assertEquals(0, run(request(0.5, true, true), Optional.empty(), pretending(0)));
        CompressPlan plan = CompressPlan.read(work.resolve("plan.json"));
        assertEquals(0.97 * 20 / 22, share(plan, "prune"), 0.002, "what codes leave to do");
        for (String step : List.of("quantize-trial", "quantize-pruned-quantized")) {
            assertEquals("8", after(plan.step(step).command(), "--pre-activations").getFirst(), step);
        }
        figures.put("quantized-codes.shrike", new double[] {26, 0.385});
        work = folder.resolve("slower");
        assertEquals(0, run(request(0.5, true, true), Optional.empty(), pretending(0)));
        plan = CompressPlan.read(work.resolve("plan.json"));
        assertEquals(0.97 * 20 / 25, share(plan, "prune"), 0.002);
        for (String step : List.of("quantize-trial", "quantize-pruned-quantized")) {
            assertFalse(plan.step(step).command().contains("--pre-activations"), step);
        }
    }

    /** {@code int8} is a name that {@code shrike quantize} takes too; of four bits there is no such name. */
    @Test
    void int8IsEightBits() throws IOException {
        CompressRequest request = new CompressRequest(model, "00", "images", Optional.of("labels.yaml"), 0.5, true,
                Optional.empty(), "int8", 64, 10, 1, 0, 1);
        assertEquals(0, run(request, Optional.empty(), pretending(0)));
        assertTrue(commands.contains("prune"), commands.toString());
        assertEquals(2, shrike("compress", model, "--data", folder, "--latency", "0.5", "--scheme", "int4"));
    }

    /** A plan that somebody changed is told of by its name and the step's. */
    @Test
    void pruningsOfWhichNothingIsKnownAreToldOf() throws IOException {
        run(request(0.5, true, true), Optional.empty(), pretending(0));
        Path file = work.resolve("plan.json");
        String text = Files.readString(file);
        for (String changed : List.of(text.replace("\"--latency\"", "\"--latenc\""),
                text.replaceFirst("\"0.776\"", "\"much\""))) {
            assertFalse(changed.equals(text));
            Files.writeString(file, changed);
            String message = assertThrows(ShrikeException.class,
                    () -> run(request(0.5, true, true), Optional.empty(), pretending(0))).getMessage();
            assertTrue(message.contains("plan.json") && message.contains("'prune'"), message);
        }
    }

    /** Below four bits that form is the usual one: there is nothing else to try. */
    @Test
    void fewBitsHaveCodesAnyway() throws IOException {
        CompressRequest request = new CompressRequest(model, "00", "images", Optional.of("labels.yaml"), 0.5, true,
                Optional.empty(), "w3a3", 64, 10, 1, 0, 1);
        assertEquals(0, run(request, Optional.empty(), pretending(0)));
        assertTrue(skipped().containsAll(List.of("quantize-quantized-codes", "build-quantized-codes",
                "val-quantized-codes", "bench-quantized-codes")), skipped().toString());
        assertTrue(report().contains("w3a3 has codes in front of activation functions anyway"), report());
    }

    @Test
    void halfOfTheLatencyNeedsPruningTuningAndQuantising() throws IOException {
        assertEquals(0, run(request(0.5, true, true), Optional.empty(), pretending(0)));
        assertEquals(roundsFrom(2), skipped());
        assertTrue(commands.contains("prune") && commands.contains("train"), commands.toString());
        CompressPlan plan = CompressPlan.read(work.resolve("plan.json"));
        double share = Double.parseDouble(after(plan.step("prune").command(), "--latency").getFirst());
        assertEquals(0.97 * 20 / 25, share, 0.002, "what quantising leaves to do, and a little more");
        assertTrue(plan.step("quantize-pruned-quantized").command().contains(work.resolve("tuned.onnx").toString()));
        assertTrue(report().contains("Taken: pruned-quantized"), report());
        assertTrue(report().contains("| tuned | tuned.onnx |"), report());
        assertTrue(report().contains("-0.0500"), "what it cost in mAP: " + report());
    }

    /** 25 ms quantised, 20 wanted: a trial of 20.5 ms asks for less, 19.9 and 19.85 again, and 19 is enough. */
    @Test
    void prunesFurtherWhereTheTrialIsNotQuickEnough() throws IOException {
        figures.put("trial.shrike", new double[] {20.5, 0});
        figures.put("trial-2.shrike", new double[] {19.9, 0});
        figures.put("trial-3.shrike", new double[] {19.85, 0});
        figures.put("trial-4.shrike", new double[] {19, 0});
        figures.put("pruned-4.onnx", new double[] {28, 0.10});
        assertEquals(0, run(request(0.5, true, true), Optional.empty(), pretending(0)));
        CompressPlan plan = CompressPlan.read(work.resolve("plan.json"));
        assertEquals(List.of(), skipped());
        assertEquals(0.776, share(plan, "prune"), 0.002);
        assertEquals(0.776 - (20.5 - 19.4) * 0.224 / 4.5, share(plan, "prune-2"), 0.002,
                "by the first and the network");
        assertEquals(share(plan, "prune-2") * (1 - 1.5 * (1 - 19.4 / 19.9)), share(plan, "prune-3"), 0.002);
        assertEquals(share(plan, "prune-3") * (1 - 3 * (1 - 19.4 / 19.85)), share(plan, "prune-4"), 0.002,
                "the last goes farther");
        assertGoesOnWith("pruned-4.onnx", plan);
        figures.remove("trial-3.shrike");
        figures.put("trial-2.shrike", new double[] {19.7, 0});
        figures.put("pruned-2.onnx", new double[] {28, 0.10});
        work = folder.resolve("two");
        assertEquals(0, run(request(0.5, true, true), Optional.empty(), pretending(0)));
        assertEquals(roundsFrom(3), skipped());
        assertTrue(report().contains("| pruned | pruned-2.onnx |"), report());
    }

    private void assertGoesOnWith(String pruned, CompressPlan plan) throws IOException {
        for (String step : List.of("bench-pruned", "val-pruned", "train")) {
            assertTrue(plan.step(step).command().contains(work.resolve(pruned).toString()), step);
        }
        assertTrue(report().contains("| pruned | " + pruned + " |"), report());
    }

    /** The machine was slow when the float network was measured, so 21 ms were less than half of what that took. */
    @Test
    void aTrialIsComparedWithTheFloatNetworkOfItsOwnRun() throws IOException {
        figures.put("trial.shrike", new double[] {21, 0});
        figures.put("trial-2.shrike", new double[] {19, 0});
        figures.put("pruned-2.onnx", new double[] {28, 0.10});
        slower.addAll(List.of(1.1, 1.0, 1.0, 1.0));
        assertEquals(0, run(request(0.5, true, true), Optional.empty(), pretending(0)));
        CompressPlan plan = CompressPlan.read(work.resolve("plan.json"));
        assertEquals(CompressPlan.State.DONE, plan.step("prune-2").state());
        assertEquals(List.of(model.toString(), work.resolve("trial.shrike").toString()),
                after(plan.step("bench-trial").command(), "--weights"));
        assertTrue(report().contains("* pruned to 0.776 of the layers' time: 0.525 of the float network's time"),
                report());
        work = folder.resolve("slow while trying");
        figures.put("trial.shrike", new double[] {19, 0});
        slower.addAll(List.of(1.0, 1.1, 1.1, 1.1));
        assertEquals(0, run(request(0.5, true, true), Optional.empty(), pretending(0)));
        plan = CompressPlan.read(work.resolve("plan.json"));
        assertEquals(0.776, share(plan, "prune"), 0.002, "25 of 40, however slow the machine is");
        assertEquals(CompressPlan.State.SKIPPED, plan.step("prune-2").state());
    }

    /** The last bench may say a percent more than the trial; a network that was only quantised is taken as it is. */
    @Test
    void aTrialMustBeClearlyBelowTheTarget() {
        figures.put("trial.shrike", new double[] {19.9, 0});
        figures.put("trial-2.shrike", new double[] {19, 0});
        figures.put("pruned-2.onnx", new double[] {28, 0.10});
        assertEquals(0, run(request(0.5, true, true), Optional.empty(), pretending(0)));
        assertEquals(CompressPlan.State.DONE,
                CompressPlan.read(work.resolve("plan.json")).step("prune-2").state());
        work = folder.resolve("quantised");
        figures.put("quantized.shrike", new double[] {19.95, 0.39});
        assertEquals(0, run(request(0.5, true, true), Optional.empty(), pretending(0)));
        assertTrue(skipped().contains("prune"));
    }

    /** The bench of the float network is run again until it is at rest, at most three times in all. */
    @Test
    void whatWasDisturbedIsMeasuredAgain() throws IOException {
        disturbed = 2;
        slower.addAll(List.of(2.0, 2.0, 1.0));
        assertEquals(0, run(request(30, false, true), Optional.empty(), pretending(0)));
        assertEquals(List.of("val", "bench", "bench", "bench", "quantize", "build", "val", "bench", "bench"), commands);
        assertTrue(report().contains("| 40.0") || report().contains("| 39.9"), report());
        assertFalse(report().contains("a storm"), report());
        work = folder.resolve("always");
        commands.clear();
        disturbed = 3;
        assertEquals(0, run(request(30, false, true), Optional.empty(), pretending(0)));
        assertEquals(List.of("val", "bench", "bench", "bench", "quantize", "build", "val", "bench", "bench"), commands);
        assertTrue(report().contains("Disturbed: float: a storm"), report());
    }

    /** Of milliseconds nothing but the variant is measured. */
    @Test
    void millisecondsNeedNoFloatNetwork() {
        slower.addAll(List.of(2.0, 1.0, 1.0, 1.0));
        assertEquals(0, run(request(20, false, true), Optional.empty(), pretending(0)));
        CompressPlan plan = CompressPlan.read(work.resolve("plan.json"));
        assertEquals(List.of(work.resolve("trial.shrike").toString()),
                after(plan.step("bench-trial").command(), "--weights"));
        assertEquals(CompressPlan.State.SKIPPED, plan.step("prune-2").state());
    }

    /** The last bench has all networks together, and says nothing of whether one is quick enough. */
    @Test
    void eachNetworkIsJudgedByItsOwnBench() throws IOException {
        slower.addAll(List.of(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0));
        assertEquals(0, run(request(20, false, true), Optional.empty(), pretending(0)));
        assertEquals(List.of(), slower, "the last bench was the slow one");
        assertTrue(report().lines().anyMatch(line -> line.matches("\\| pruned-quantized \\|.* 1[78]\\.\\d\\d \\|.*")),
                report());
    }

    /** All that is compared runs in turn, and a trial has the form of the last network. */
    @Test
    void trialsAreMeasuredAndQuantisedAsTheLastNetworkIs() {
        run(request(0.5, true, true), Optional.empty(), pretending(0));
        CompressPlan plan = CompressPlan.read(work.resolve("plan.json"));
        for (String step : List.of("bench-quantized", "bench-trial", "bench-pruned-quantized")) {
            assertTrue(plan.step(step).command().contains("--models-in-turn"), step);
        }
        List<String> trial = plan.step("quantize-trial").command();
        assertEquals("w8a8", after(trial, "--scheme").getFirst());
        assertEquals(List.of("build", work.resolve("trial.onnx").toString()),
                plan.step("build-trial").command().subList(0, 2));
        assertEquals(List.of("build", work.resolve("pruned-quantized.onnx").toString()),
                plan.step("build-pruned-quantized").command().subList(0, 2));
    }

    /** The float network may be called as something that is made of it. */
    @Test
    void resultsAreFoundByFileAndOrder() throws IOException {
        model = Files.writeString(folder.resolve("quantized.shrike"), "float");
        Path bench = folder.resolve("bench.json");
        Files.writeString(bench, BenchJson.text(ReportFixture.report("here",
                List.of(ReportFixture.result("other.onnx", "cpu", "float", 7, 1),
                        ReportFixture.result("quantized.shrike", "cpu", "float", 40, 1),
                        ReportFixture.result("quantized.shrike", "cpu", "float", 10, 1)))));
        assertEquals(0.25, Measured.ratio(bench, model, work.resolve("quantized.shrike")), 0.01);
        assertEquals(7, Measured.latency(bench, Path.of("other.onnx")), 0.1);
        String message = assertThrows(ShrikeException.class,
                () -> Measured.ratio(bench, model, work.resolve("trial.shrike"))).getMessage();
        assertTrue(message.contains("bench.json") && message.contains("trial.shrike"), message);
    }

    /** A trial just below the target leads to another pruning; where that came out slower, the one before is taken. */
    @Test
    void theQuickestPruningIsGoneOnWith() throws IOException {
        figures.put("trial.shrike", new double[] {20.5, 0});
        figures.put("trial-2.shrike", new double[] {19.9, 0});
        figures.put("trial-3.shrike", new double[] {20.4, 0});
        figures.put("trial-4.shrike", new double[] {20.1, 0});
        figures.put("pruned-2.onnx", new double[] {28, 0.10});
        assertEquals(0, run(request(0.5, true, true), Optional.empty(), pretending(0)));
        CompressPlan plan = CompressPlan.read(work.resolve("plan.json"));
        assertGoesOnWith("pruned-2.onnx", plan);
    }

    /** After prunings that all missed, the report says what came of each. */
    @Test
    void prunedAgainAndAgainInVain() throws IOException {
        for (String trial : List.of("trial", "trial-2", "trial-3", "trial-4")) {
            figures.put(trial + ".shrike", new double[] {22, 0});
        }
        figures.put("pruned-quantized.shrike", new double[] {21.5, 0.09});
        assertEquals(1, run(request(0.5, true, true), Optional.empty(), pretending(0)));
        assertEquals(4, report().lines().filter(line -> line.contains("0.550 of the float network's time")).count(),
                report());
        assertTrue(report().contains(" ms (0.500 of float). Nothing is as quick."), report());
        assertTrue(report().lines().anyMatch(line -> line.matches("\\| float \\|.* 1\\.000 \\| 0\\.4000 \\|.*")),
                report());
        CompressPlan plan = CompressPlan.read(work.resolve("plan.json"));
        assertTrue(share(plan, "prune-2") < share(plan, "prune") && share(plan, "prune-3") < share(plan, "prune-2")
                && share(plan, "prune-4") < share(plan, "prune-3"));
    }

    /** What an earlier version began is refused with a way out, and stays as it is. */
    @Test
    void plansOfEarlierVersionsAreLeftAlone() throws IOException {
        run(request(0.5, true, true), Optional.empty(), pretending(0));
        Path file = work.resolve("plan.json");
        String old = Files.readString(file).replaceFirst("\"schema\" : 2", "\"schema\" : 1");
        Files.writeString(file, old);
        commands.clear();
        String message = assertThrows(ShrikeException.class,
                () -> run(request(0.5, true, true), Optional.empty(), pretending(0))).getMessage();
        assertTrue(message.contains("plan.json: is a plan of another version") && message.contains("-o"), message);
        assertEquals(old, Files.readString(file));
        assertEquals(List.of(), commands);
        assertTrue(Files.exists(work.resolve("tuned.onnx")));
    }

    private List<Double> shares() {
        CompressPlan plan = CompressPlan.read(work.resolve("plan.json"));
        return Stream.of("prune", "prune-2", "prune-3").map(step -> share(plan, step)).toList();
    }

    private double share(CompressPlan plan, String step) {
        return Double.parseDouble(after(plan.step(step).command(), "--latency").getFirst());
    }

    @Test
    void tuningThatMadeItWorseIsLeftOut() throws IOException {
        figures.put("tuned.onnx", new double[] {30, 0.19});
        assertEquals(0, run(request(0.5, true, true), Optional.empty(), pretending(0)));
        assertTrue(CompressPlan.read(work.resolve("plan.json")).step("quantize-pruned-quantized").command()
                .contains(work.resolve("pruned.onnx").toString()));
    }

    @Test
    void whatIsPossibleLaterChangesAllBehindIt() {
        run(request(0.5, true, true), Optional.of("nothing trains here"), pretending(0));
        commands.clear();
        assertEquals(0, run(request(0.5, true, true), Optional.empty(), pretending(0)));
        assertEquals(List.of("train", "val", "bench", "quantize", "build", "val", "bench", "bench"), commands);
        assertTrue(CompressPlan.read(work.resolve("plan.json")).step("quantize-pruned-quantized").command()
                .contains(work.resolve("tuned.onnx").toString()));
    }

    @Test
    void trainingThatWasStoppedGoesOn() throws IOException {
        CompressRequest request = request(0.5, true, true);
        assertThrows(Killed.class, () -> run(request, Optional.empty(), (command, output) -> {
            if (command.getFirst().equals("train")) {
                try {
                    Path trained = work.resolve("tuned-train");
                    Files.createDirectories(trained);
                    Files.writeString(trained.resolve("job.json"), "{}");
                    Files.writeString(trained.resolve("checkpoint.bin"), "");
                    Files.writeString(work.resolve("tuned.onnx"), "an epoch");
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                throw new Killed();
            }
            return pretending(0).run(command, output);
        }));
        assertFalse(trainCommand().contains("--resume"));
        assertEquals(0, run(request, Optional.empty(), pretending(0)));
        assertTrue(trainCommand().contains("--resume"));
        Files.delete(work.resolve("plan.json"));
        assertEquals(0, run(request, Optional.empty(), pretending(0)));
        assertFalse(trainCommand().contains("--resume"), "a run of another plan is none to go on with");
    }

    private List<String> trainCommand() {
        return CompressPlan.read(work.resolve("plan.json")).step("train").command();
    }

    @Test
    void withoutPyTorchOrLabelsTheStepSaysWhyItIsSkipped() throws IOException {
        run(request(0.5, true, true), Optional.of("nothing trains here"), pretending(0));
        assertTrue(report().contains("nothing trains here"), report());
        assertTrue(CompressPlan.read(work.resolve("plan.json")).step("quantize-pruned-quantized").command()
                .contains(work.resolve("pruned.onnx").toString()));
        work = folder.resolve("other");
        commands.clear();
        assertEquals(0, run(request(0.5, true, false), Optional.empty(), pretending(0)));
        assertFalse(commands.contains("val") || commands.contains("train"), commands.toString());
        assertTrue(report().contains("give --val"), report());
    }

    @Test
    void whatCannotBeReachedIsAFailureWithAReport() throws IOException {
        figures.put("trial-2.shrike", new double[] {15, 0});
        figures.put("pruned-2.onnx", new double[] {20, 0.01});
        assertEquals(1, run(request(2, false, true), Optional.empty(), pretending(0)));
        assertTrue(report().contains("Nothing is as quick"), report());
        assertTrue(skipped().contains("prune-3"), "beyond the smallest share nothing is tried: " + skipped());
    }

    /**
     * Killed at each command in turn: what was done stays done, and the report is that of a run that nobody stopped.
     */
    @Test
    void goesOnWhereItWasKilled() throws IOException {
        figures.put("trial.shrike", new double[] {20.5, 0});
        figures.put("trial-2.shrike", new double[] {19.9, 0});
        figures.put("trial-3.shrike", new double[] {19, 0});
        figures.put("pruned-3.onnx", new double[] {28, 0.10});
        CompressRequest request = request(0.5, true, true);
        run(request, Optional.empty(), pretending(0));
        List<String> all = List.copyOf(commands);
        List<Double> shares = shares();
        List<String> rows = report().lines().filter(line -> line.startsWith("| ") && line.contains(".onnx |")).toList();
        for (int kill = 1; kill <= all.size(); kill++) {
            work = folder.resolve("killed" + kill);
            commands.clear();
            int at = kill;
            assertThrows(Killed.class, () -> run(request, Optional.empty(), pretending(at)));
            assertEquals(all.subList(0, kill), commands);
            assertFalse(Files.exists(work.resolve("report.md")));
            commands.clear();
            assertEquals(0, run(request, Optional.empty(), pretending(0)));
            assertEquals(all.subList(kill - 1, all.size()), commands, "the killed step is done again, and no other");
            assertEquals(shares, shares(), "what the prunings were asked for");
            assertEquals(rows,
                    report().lines().filter(line -> line.startsWith("| ") && line.contains(".onnx |")).toList());
        }
        commands.clear();
        assertEquals(0, run(request, Optional.empty(), pretending(0)));
        assertEquals(List.of(), commands, "all is done");
        Files.delete(work.resolve("pruned.onnx"));
        assertEquals(0, run(request, Optional.empty(), pretending(0)));
        assertEquals(List.of("prune"), commands, "what has gone is made again");
    }

    @Test
    void plansOfOtherRequestsAndBrokenOnesAreRefused() throws IOException {
        run(request(30, false, true), Optional.empty(), pretending(0));
        String message =
                assertThrows(ShrikeException.class,
                        () -> run(request(31, false, true), Optional.empty(), pretending(0)))
                        .getMessage();
        assertTrue(message.contains("another request") && message.contains("-o"), message);
        for (String text : List.of("", "{", "null", "[]", "{\"schema\": 9, \"request\": [], \"steps\": []}",
                "{\"schema\": 2, \"request\": [], \"steps\": [null]}")) {
            Files.writeString(work.resolve("plan.json"), text);
            assertThrows(ShrikeException.class,
                    () -> run(request(30, false, true), Optional.empty(), pretending(0)), text);
        }
    }

    /** A first try that came to nothing keeps nobody from another one in the same folder. */
    @Test
    void aPlanOfWhichNothingIsDoneGivesWay() {
        assertThrows(ShrikeException.class, () -> run(request(30, false, true), Optional.empty(), (_, _) -> 1));
        assertEquals(0, run(request(31, false, true), Optional.empty(), pretending(0)));
    }

    /** A folder with a data.yaml is as good for fine-tuning as the file; one with COCO JSON is not. */
    @Test
    void aFolderWithADataYamlIsTakenAsTheFile() throws IOException {
        ToyData.main(new String[] {folder.toString()});
        figures.put("toy.onnx", new double[] {40, 0.40});
        Path labelled = Files.createDirectory(folder.resolve("labelled"));
        Path yaml = labelled.resolve("data.yaml");
        String without = "path: ..\nval: blocks\nnames: [red block, blue block]\n";
        Files.writeString(yaml, without);
        assertTrue(train("file", yaml).reason().contains("has no 'train'"));
        assertEquals(train("file", yaml).reason(), train("folder", labelled).reason());
        Files.writeString(yaml, without + "train: blocks\n");
        CompressPlan.Step whole = train("whole", labelled);
        assertTrue(whole.state() == CompressPlan.State.DONE
                ? after(whole.command(), "--data").equals(List.of(labelled.toString()))
                : !whole.reason().contains("data.yaml"), whole + ": only PyTorch may be missing");
        String coco = train("coco", folder.resolve("blocks")).reason();
        assertTrue(coco.contains("needs a data.yaml, or a folder with one"), coco);
    }

    /** The step of fine-tuning after the command has run with these labels. */
    private CompressPlan.Step train(String into, Path labels) {
        Console console = new Console(out, new PrintStream(OutputStream.nullOutputStream()), false, false);
        Path made = folder.resolve("made-" + into);
        assertEquals(0, new CommandLine(new CompressCommand(console, _ -> null, pretending(0))).execute(
                folder.resolve("toy.onnx").toString(), "--data", folder.resolve("blocks").toString(), "--val",
                labels.toString(), "--latency", "0.5", "-o", made.toString(), "--quiet"));
        return CompressPlan.read(made.resolve("plan.json")).step("train");
    }

    /** Wrong names are told before anything is made. */
    @Test
    void whatCannotBeReadIsToldAtOnce() throws IOException {
        ToyData.main(new String[] {folder.toString()});
        Path toy = folder.resolve("toy.onnx");
        Path blocks = folder.resolve("blocks");
        Path empty = Files.createDirectory(folder.resolve("empty"));
        Path broken = Files.writeString(folder.resolve("broken.yaml"), "layers: [");
        List<List<Object>> wrong = List.of(List.of(model, "--data", blocks), List.of(toy, "--data", empty),
                List.of(toy, "--data", folder.resolve("nowhere")),
                List.of(toy, "--data", blocks, "--val", folder.resolve("none.json")),
                List.of(toy, "--data", blocks, "--val", broken),
                List.of(toy, "--data", blocks, "--latencies", broken));
        for (List<Object> arguments : wrong) {
            List<Object> all = new ArrayList<>(List.of("compress"));
            all.addAll(arguments);
            all.addAll(List.of("--latency", "0.5", "-o", work));
            assertEquals(1, shrike(all.toArray()), all + ": " + out.toString(StandardCharsets.UTF_8));
            assertFalse(Files.exists(work), all.toString());
        }
    }

    @Test
    void aStepThatFailsIsNamedAndCanBeTriedAgain() {
        String message = assertThrows(ShrikeException.class,
                () -> run(request(30, false, true), Optional.empty(), (_, _) -> 3)).getMessage();
        assertTrue(message.contains("val-float") && message.contains("exit code 3"), message);
        assertEquals(0, run(request(30, false, true), Optional.empty(), pretending(0)));
    }

    private int shrike(Object... args) {
        return Main.run(Arrays.stream(args).map(String::valueOf).toArray(String[]::new),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(out, true, StandardCharsets.UTF_8));
    }

    @Test
    void senselessRequestsAreUsageErrors() {
        for (String latency : List.of("0", "-1ms", "1", "1.5", "fast", "ms", "9999999ms", "")) {
            assertEquals(2, shrike("compress", model, "--data", folder, "--latency", latency), latency);
        }
        assertEquals(2, shrike("compress", model, "--data", folder));
        assertEquals(2, shrike("compress", model, "--data", folder, "--latency", "0.5", "--scheme", "w99"));
        assertEquals(1, shrike("compress", folder.resolve("none.onnx"), "--data", folder, "--latency", "0.5"));
    }

    /** The very commands, in this process, on a network that needs no pruning to be quick enough. */
    @Test
    void theCommandsOfThePlanRun() throws IOException {
        ToyData.main(new String[] {folder.toString()});
        CompressRequest request = new CompressRequest(folder.resolve("toy.onnx"), "00",
                folder.resolve("blocks").toString(), Optional.of(folder.resolve("instances_blocks.json").toString()),
                600_000, false, Optional.empty(), "w8a8", 12, 1, 1, 0, 0.2);
        int exit = run(request, Optional.empty(), (command, output) -> {
            try (PrintStream printed = new PrintStream(Files.newOutputStream(output), true, StandardCharsets.UTF_8)) {
                return Main.run(command.toArray(String[]::new), printed,
                        new PrintStream(out, true, StandardCharsets.UTF_8));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        assertEquals(0, exit, out.toString(StandardCharsets.UTF_8));
        assertTrue(report().contains("| quantized | quantized.shrike |"), report());
        assertTrue(Files.readString(work.resolve("bench.html")).contains("Accuracy against latency"));
    }
}
