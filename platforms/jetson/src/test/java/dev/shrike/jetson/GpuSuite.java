package dev.shrike.jetson;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.jetson.engine.BuildProgress;
import dev.shrike.spi.Availability;
import dev.shrike.spi.Backends;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Everything that only a GPU can tell about the TensorRT engine, in one run: {@code gpu-suite.sh} packs it and starts
 * it. Each step runs in JVMs of its own, as a crash is one of the possible answers; a step that fails does not keep the
 * next one from running. The report is Markdown, on the standard output and in {@code results/report.md}.
 */
final class GpuSuite {
    private static final int NO_GPU = 2;
    private static final String NO_DLA = "this device has 0";
    private static final int COMPARED_IMAGES = 32;
    private static final int FRAME_IMAGES = 8;
    /** What pools and caches of the libraries may take later than we think. */
    private static final double FLAT_MIB = 48;
    private static final String MAIN = "dev.shrike.app.Main";
    private static final int TIMED_FRAMES = 200;
    /** What {@link BuildProgress} logs at the start of each build, and before the part that takes minutes. */
    private static final String BUILDS = "parsing the network";
    private static final String CHOOSES = "choosing kernels";

    private final SuiteFolder folder;
    private final String engine;
    private final int frames;
    private final Path logs;
    private final SuiteReport report;

    private GpuSuite(SuiteFolder folder, String engine, int frames, String steps) throws IOException {
        this.report = new SuiteReport(folder.results("steps"), steps);
        this.folder = folder;
        this.engine = engine;
        this.frames = frames;
        this.logs = folder.results("logs");
    }

    /**
     * Arguments: the folder, the engine, the number of frames and part of the titles of the steps to run, or "" . Exit
     * code 1 if a step failed, 2 without a GPU.
     */
    public static void main(String[] arguments) throws IOException {
        Path root = Path.of(arguments[0]).toAbsolutePath();
        String engine = arguments[1];
        Availability found = Backends.installed().stream().filter(backend -> backend.name().equals(engine))
                .findFirst().orElseThrow(() -> new IllegalArgumentException("no engine '" + engine + "'")).probe();
        switch (found) {
            case Availability.Missing missing -> {
                System.err.println("gpu-suite: the engine '" + engine + "' does not run here: " + missing.reason());
                System.exit(NO_GPU);
            }
            case Availability.Available available -> {
                GpuSuite suite = new GpuSuite(new SuiteFolder(root), engine, Integer.parseInt(arguments[2]),
                        arguments[3]);
                System.exit(suite.run(available.description()));
            }
        }
    }

    private int run(String description) throws IOException {
        report.say("# GPU suite: " + description);
        for (Path model : folder.models()) {
            report.step("engines of " + SuiteFolder.name(model), () -> measure(model));
        }
        SuiteSpeed speed = new SuiteSpeed(folder, engine, logs, report);
        for (Path model : folder.models()) {
            report.step("decoding of " + SuiteFolder.name(model),
                    () -> speed.decoding(model, cache(model, SuiteVariant.FP16)));
            report.step("batches of " + SuiteFolder.name(model),
                    () -> speed.batches(model, folder.engines(SuiteFolder.name(model) + "-batches")));
            report.step("INT8 batches of " + SuiteFolder.name(model), () -> speed.batches(model,
                    folder.engines(SuiteFolder.name(model) + "-int8-batches"), SuiteVariant.INT8_ENTROPY, 4));
        }
        Path first = folder.models().getFirst();
        report.step("engine files", () -> engineFiles(first));
        report.step("two threads", () -> speed.threads(first, cache(first, SuiteVariant.FP16)));
        report.step("DLA", () -> runOnDla(first));
        report.step("a build that is killed", () -> killBuild(first));
        report.step("two processes at once", () -> buildTwice(first));
        report.step(frames + " frames", () -> runFrames(first));
        report.step("compute-sanitizer", () -> sanitize(first));
        return report.end(folder.results("").resolve("report.md")) ? 0 : 1;
    }

    private SuiteChild shrike(List<String> properties, String command, List<String> more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(command));
        arguments.addAll(more);
        return SuiteChild.start(logs, List.of(), properties, MAIN, arguments);
    }

    private Path cache(Path model, SuiteVariant variant) throws IOException {
        return folder.engines(SuiteFolder.name(model) + "-" + variant.label());
    }

    private Path network(Path model, SuiteVariant variant) {
        return variant.quantized() ? folder.quantized(model) : model;
    }

    private SuiteChild detect(List<String> properties, Path network, String on, int images) throws IOException {
        List<String> more = new ArrayList<>(List.of("--json", "--nosave", "--engine", on, "--weights",
                network.toString()));
        folder.images(images).forEach(image -> more.add(image.toString()));
        return shrike(properties, "detect", more);
    }

    private JsonNode val(List<String> properties, Path network, String on) throws IOException, InterruptedException {
        List<String> more = List.of("--json", "--nosave", "--data", folder.data().toString(), "--images",
                folder.dataImages().toString(), "--engine", on, "--weights", network.toString());
        return new ObjectMapper().readTree(shrike(properties, "val", more).result());
    }

    /** Builds each variant, measures it, and loads it again from the cache to compare what it sees. */
    private void measure(Path model) throws IOException, InterruptedException {
        JsonNode reference = val(List.of(), model, "cpu");
        String seen = detect(List.of(), model, "cpu", COMPARED_IMAGES).result();
        report.say("| engine | mAP50-95 | mAP50 | objects found | invented | letterbox ms | network ms | decode ms |"
                + " total, p99 ms | device MiB | build s | file MB | layers INT8, FP16, FP32 |");
        report.say("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        report.say(row("float, on the CPU", reference) + " | | | | | | | | | | |");
        Map<SuiteVariant, List<String>> findings = new EnumMap<>(SuiteVariant.class);
        for (SuiteVariant variant : SuiteVariant.values()) {
            findings.put(variant, new ArrayList<>());
            try {
                measure(model, variant, reference, seen, findings.get(variant));
            } catch (IOException | RuntimeException | LinkageError e) {
                findings.get(variant).add(e.toString());
            }
        }
        report.say("");
        findings.forEach((variant, lines) -> lines.forEach(
                line -> report.fail(SuiteFolder.name(model) + " " + variant.label() + ": " + line)));
    }

    private void measure(Path model, SuiteVariant variant, JsonNode reference, String seen, List<String> findings)
            throws IOException, InterruptedException {
        Path cache = cache(model, variant);
        List<String> properties = variant.properties(cache, folder.calibration());
        JsonNode measured = val(properties, network(model, variant), engine);
        SuiteChild again = detect(properties, network(model, variant), engine, COMPARED_IMAGES);
        SuiteAgreement agreement = SuiteAgreement.of(seen, again.result());
        Path record = only(cache, ".json");
        Map<String, Double> figures =
                SuiteFolder.figures(frames(List.of(), properties, network(model, variant), TIMED_FRAMES).result());
        report.say(row(variant.label(), measured) + String.format(Locale.ROOT,
                " | %.3f | %.3f | %.2f | %.2f | %.2f | %.2f | %.0f | %.1f | %.1f | %.0f, %.0f, %.0f |",
                agreement.found(),
                agreement.invented(), figures.get("letterbox_ms"), figures.get("network_ms"), figures.get("decode_ms"),
                figures.get("total_p99_ms"), figures.get("device_mib"),
                new ObjectMapper().readTree(record.toFile()).get("buildSeconds").asDouble(),
                Files.size(only(cache, ".engine")) / 1e6, figures.get("layers_INT8"), figures.get("layers_FP16"),
                figures.get("layers_FP32")));
        if (variant.isInt8() && figures.get("layers_INT8") == 0 && !engine.equals(FakeBackend.NAME)) {
            findings.add("no layer runs in INT8");
        }
        for (String fallback : List.of("cuda_graph", "gpu_letterbox")) {
            if (figures.get(fallback + "_fallbacks") > 0) {
                findings.add("it ran without the " + fallback.replace('_', ' '));
            }
        }
        if (again.logged(BUILDS)) {
            findings.add("it was built again instead of taken from the cache");
        }
        double lost = figure(reference, "mAP50_95") - figure(measured, "mAP50_95");
        if (!(lost <= variant.loss())) {
            findings.add(String.format(Locale.ROOT, "it loses %.4f mAP50-95, more than %.4f", lost, variant.loss()));
        }
        if (agreement.objects() == 0) {
            findings.add("the float network sees nothing on the images, so nothing is compared");
        } else if (agreement.found() < variant.agreement() || agreement.invented() > 1 - variant.agreement()) {
            findings.add(String.format(Locale.ROOT, "of %d objects it finds %.3f and invents %.3f, at least %.2f and at"
                    + " most %.2f are wanted", agreement.objects(), agreement.found(), agreement.invented(),
                    variant.agreement(), 1 - variant.agreement()));
        }
    }

    private static double figure(JsonNode measured, String name) {
        return measured.get("yolo").get(name).asDouble();
    }

    private static String row(String label, JsonNode measured) {
        return String.format(Locale.ROOT, "| %s | %.4f | %.4f", label, figure(measured, "mAP50_95"),
                figure(measured, "mAP50"));
    }

    private static List<Path> endingWith(Path cache, String ending) throws IOException {
        try (Stream<Path> files = Files.list(cache)) {
            return files.filter(file -> file.toString().endsWith(ending)).toList();
        }
    }

    private static Path only(Path cache, String ending) throws IOException {
        List<Path> found = endingWith(cache, ending);
        if (found.size() != 1) {
            throw new IOException(cache + ": has " + found.size() + " files *" + ending + " instead of one");
        }
        return found.getFirst();
    }

    private void killBuild(Path model) throws IOException, InterruptedException {
        Path cache = folder.emptyEngines("killed");
        List<String> properties = SuiteVariant.FP16.properties(cache, folder.calibration());
        // Only the fake TensorRT looks at it; a real build takes long enough.
        Path hold = Files.writeString(cache.resolve(FakeBackend.HOLD), "");
        SuiteChild killed = detect(properties, model, engine, 1);
        boolean building = killed.logs(CHOOSES);
        killed.kill();
        Files.delete(hold);
        report.require(building, "the process ended before it built");
        report.require(endingWith(cache, ".engine").isEmpty(), "the killed build left an engine");
        SuiteChild next = detect(properties, model, engine, 1);
        next.result();
        report.require(next.logged(BUILDS), "the next process did not build");
        report.require(endingWith(cache, ".tmp").isEmpty(), "parts of files are left in the cache");
        report.say("A build was killed; the next process built the engine.");
    }

    private void buildTwice(Path model) throws IOException, InterruptedException {
        Path cache = folder.emptyEngines("twice");
        List<String> properties = SuiteVariant.FP16.properties(cache, folder.calibration());
        Path hold = Files.writeString(cache.resolve(FakeBackend.HOLD), "");
        SuiteChild one = detect(properties, model, engine, 1);
        SuiteChild other = detect(properties, model, engine, 1);
        while (!one.logged(BUILDS) && !other.logged(BUILDS) && one.isAlive() && other.isAlive()) {
            Thread.sleep(20);
        }
        Files.delete(hold);
        String seen = one.result();
        report.require(SuiteAgreement.of(seen, other.result()).invented() == 0, "the two saw different things");
        report.require(one.logged(BUILDS) != other.logged(BUILDS), "both of them built the engine");
        report.say("One of two processes built the engine, both ran it.");
    }

    /** Files of this device run as they are, those of another one are built again, broken ones are refused. */
    private void engineFiles(Path model) throws IOException, InterruptedException {
        List<String> properties = SuiteVariant.FP16.properties(folder.emptyEngines("files"), folder.calibration());
        Path built = folder.results("files").resolve("built.engine");
        shrike(properties, "build", List.of("--output", built.toString(), model.toString())).result();
        SuiteChild own = detect(properties, built, engine, COMPARED_IMAGES);
        String seen = own.result();
        report.require(!own.logged(BUILDS), "the engine in the file was built again on the same device");
        SuiteAgreement here = SuiteAgreement.of(detect(List.of(), model, "cpu", COMPARED_IMAGES).result(), seen);
        report.require(here.objects() > 0 && here.found() >= SuiteVariant.FP16.agreement(),
                "the engine in the file finds too little");
        SuiteEngineFiles files = new SuiteEngineFiles(built);
        for (Path other : List.of(files.ofAnotherGpu(), files.ofAnotherTensorRt())) {
            // Else the engine that was built here would serve.
            properties = SuiteVariant.FP16.properties(folder.emptyEngines("files"), folder.calibration());
            SuiteChild again = detect(properties, other, engine, COMPARED_IMAGES);
            SuiteAgreement agreement = SuiteAgreement.of(seen, again.result());
            report.require(again.logged("it is built again for this device") && again.logged(BUILDS),
                    other.getFileName() + " was not built again");
            report.require(agreement.found() >= SuiteVariant.FP16.agreement(),
                    other.getFileName() + ", built again, finds too little");
            SuiteChild third = detect(properties, other, engine, COMPARED_IMAGES);
            third.result();
            report.require(!third.logged(BUILDS), other.getFileName() + " was built again a second time");
        }
        for (Path broken : List.of(files.damaged(), files.cutOff())) {
            SuiteChild refused = detect(properties, broken, engine, 1);
            int code = refused.end(Duration.ofMinutes(2));
            report.require(code == 1 && refused.lastWords().contains("checksum"),
                    broken.getFileName() + " was answered with " + code + ": " + refused.lastWords());
        }
        report.say("Files of another GPU and another TensorRT were built again, broken ones refused.");
    }

    private void runOnDla(Path model) throws IOException, InterruptedException {
        List<String> properties = new ArrayList<>(
                SuiteVariant.FP16.properties(folder.emptyEngines("dla"), folder.calibration()));
        properties.add("-Dshrike.tensorrt.dla=0");
        SuiteChild child = detect(properties, model, engine, COMPARED_IMAGES);
        try {
            SuiteAgreement agreement =
                    SuiteAgreement.of(detect(List.of(), model, "cpu", COMPARED_IMAGES).result(), child.result());
            report.say(String.format(Locale.ROOT, "Of %d objects the DLA finds %.3f and invents %.3f.",
                    agreement.objects(), agreement.found(), agreement.invented()));
            report.require(agreement.found() >= SuiteVariant.FP16.agreement(), "the DLA finds too little");
        } catch (IOException e) {
            report.require(child.logged(NO_DLA), "DLA: " + e.getMessage());
            report.skip("this device has no DLA.");
        }
    }

    private void runFrames(Path model) throws IOException, InterruptedException {
        List<String> properties = new ArrayList<>(
                SuiteVariant.FP16.properties(cache(model, SuiteVariant.FP16), folder.calibration()));
        // A heap of a fixed size, so that the memory of the process shows what grows outside.
        properties.addAll(List.of("-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch"));
        Map<String, Double> figures = SuiteFolder.figures(frames(List.of(), properties, model, frames).result());
        figures.forEach((name, value) -> report.say("* " + name + ": " + value));
        for (String grown : List.of("resident_growth_mib", "device_growth_mib")) {
            report.require(figures.get(grown) <= FLAT_MIB, grown + " is more than " + FLAT_MIB);
        }
    }

    private SuiteChild frames(List<String> prefix, List<String> properties, Path model, int count)
            throws IOException {
        List<String> arguments = new ArrayList<>(List.of(engine, model.toString(), String.valueOf(count)));
        folder.images(FRAME_IMAGES).forEach(image -> arguments.add(image.toString()));
        return SuiteChild.start(logs, prefix, properties, SuiteFrames.class.getName(), arguments);
    }

    private void sanitize(Path model) throws IOException, InterruptedException {
        Path tool = Stream.concat(Stream.of(System.getenv("PATH").split(":")).map(Path::of),
                Stream.of(Path.of("/usr/local/cuda/bin"))).map(bin -> bin.resolve("compute-sanitizer"))
                .filter(Files::isExecutable).findFirst().orElse(null);
        if (tool == null || engine.equals(FakeBackend.NAME)) {
            report.skip(tool == null ? "compute-sanitizer is not installed." : "nothing runs on a GPU.");
            return;
        }
        List<String> properties = new ArrayList<>(
                SuiteVariant.FP16.properties(cache(model, SuiteVariant.FP16), folder.calibration()));
        properties.add("-Dshrike.tensorrt.decode=gpu");
        frames(List.of(tool.toString(), "--tool", "memcheck", "--target-processes", "all", "--error-exitcode", "3"),
                properties, model, FRAME_IMAGES).result();
        report.say("compute-sanitizer's memcheck found nothing.");
    }
}
