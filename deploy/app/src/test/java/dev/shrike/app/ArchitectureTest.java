package dev.shrike.app;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import dev.shrike.ShrikeException;
import java.io.IOException;
import java.lang.foreign.Linker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TimeZone;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Who may depend on whom: app -> engines and tools -> runtime, never back. The app's own class path is the widest, so
 * the rules of the whole house are held here.
 */
@Tag("any-processor")
class ArchitectureTest {
    private static final String APP = "dev.shrike.app..";
    private static final String CPU = "dev.shrike.cpu..";
    private static final String JETSON = "dev.shrike.jetson..";
    private static final String CALIBRATION = "dev.shrike.calibration..";
    private static final String TRAINING = "dev.shrike.training..";
    private static final String[] SOURCES = {"dev.shrike.sources..", "dev.shrike.live..", "dev.shrike.tracking.."};
    /** Everything that is not named above is the runtime, so a new package there falls under its rules by itself. */
    private static final DescribedPredicate<JavaClass> RUNTIME =
            resideInAPackage("dev.shrike..").and(resideOutsideOfPackages(APP, CPU, JETSON, CALIBRATION, TRAINING))
                    .and(resideOutsideOfPackages(SOURCES));

    private static final int MOST_FILES = 28;
    /** Packages of more files, and why. */
    private static final Map<String, String> LARGE_PACKAGES = Map.of(
            "dev.shrike.app.detect", "the sources of a command and what it writes are not parted yet",
            "dev.shrike.sources", "each kind of source has a connection, a parser and its formats here",
            "dev.shrike.training", "the parent's side of training: options, runs and reports",
            "dev.shrike.training.torch", "only the child process may see PyTorch (decision 50)",
            "dev.shrike.vision", "the readers of image formats share OpenCV's images and the limits of Images");

    private static JavaClasses house;

    @BeforeAll
    static void readClasses() throws IOException {
        house = new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests())
                // Shared test code of other modules comes as a jar.
                .withImportOption(location -> !location.contains("-tests.jar"))
                .importPackages("dev.shrike");
        for (String needed : List.of("dev.shrike.Detector", "dev.shrike.graph.Graph", "dev.shrike.onnx.OnnxModels",
                "dev.shrike.spi.Backend", "dev.shrike.vision.Images")) {
            assertTrue(house.contain(needed), "not on the class path: " + needed);
        }
        for (String module : List.of("deploy/app", "platforms/cpu", "platforms/jetson", "calibration")) {
            String name = "dev.shrike." + module.substring(module.indexOf('/') + 1);
            assertEquals(hasClasses(module), house.stream().anyMatch(type -> type.getPackageName().startsWith(name)),
                    "sources in " + module + " and classes of " + name + " on the class path");
        }
    }

    @Test
    void runtimeKnowsNeitherEnginesNorToolsNorApp() {
        noClasses().that(RUNTIME).should().dependOnClassesThat()
                .resideInAnyPackage(APP, CALIBRATION, CPU, JETSON, TRAINING).orShould().dependOnClassesThat()
                .resideInAnyPackage(SOURCES).check(house);
    }

    @Test
    void enginesStandOnTheRuntimeAlone() throws IOException {
        for (Map.Entry<String, String> engine : Map.of(CPU, "platforms/cpu", JETSON, "platforms/jetson").entrySet()) {
            DescribedPredicate<JavaClass> others = resideInAPackage("dev.shrike..").and(not(RUNTIME))
                    .and(not(resideInAPackage(engine.getKey())));
            noClasses().that().resideInAPackage(engine.getKey()).should().dependOnClassesThat(others)
                    .allowEmptyShould(!hasClasses(engine.getValue())).check(house);
        }
    }

    @Test
    void toolsStandOnTheRuntimeAlone() {
        DescribedPredicate<JavaClass> others = resideInAPackage("dev.shrike..").and(not(RUNTIME))
                .and(not(resideInAPackage(CALIBRATION)));
        noClasses().that().resideInAPackage(CALIBRATION).should().dependOnClassesThat(others).check(house);
    }

    @Test
    void trainingStandsOnToolsAndRuntime() {
        DescribedPredicate<JavaClass> others = resideInAPackage("dev.shrike..").and(not(RUNTIME))
                .and(not(resideInAnyPackage(CALIBRATION, TRAINING)));
        noClasses().that().resideInAPackage(TRAINING).should().dependOnClassesThat(others).allowEmptyShould(true)
                .check(house);
    }

    /** PyTorch is there in the child process alone (decision 50): whoever touched it elsewhere would not load. */
    @Test
    void pyTorchStaysInTheChildProcess() {
        String child = "dev.shrike.training.torch";
        Set<String> users = usersOf("org.bytedeco.pytorch.");
        assertTrue(users.stream().allMatch(name -> name.startsWith(child + ".")), users.toString());
        noClasses().that().resideOutsideOfPackage(child).should().dependOnClassesThat().resideInAPackage(child)
                .check(house);
    }

    @Test
    void sourcesStandOnTheRuntimeAlone() {
        DescribedPredicate<JavaClass> others = resideInAPackage("dev.shrike..").and(not(RUNTIME))
                .and(not(resideInAnyPackage(SOURCES)));
        noClasses().that().resideInAnyPackage(SOURCES).should().dependOnClassesThat(others).check(house);
    }

    @Test
    void nothingStandsOnTheApp() {
        noClasses().that().resideOutsideOfPackage(APP).should().dependOnClassesThat().resideInAPackage(APP)
                .check(house);
    }

    @Test
    void graphStandsOnTheExceptionsAlone() {
        DescribedPredicate<JavaClass> allowed = describe("of graph or Java, or our exceptions, or arrays of such",
                type -> {
                    JavaClass element = type.getBaseComponentType();
                    return element.isPrimitive() || element.isAssignableTo(ShrikeException.class)
                            || resideInAnyPackage("dev.shrike.graph..", "java..").test(element);
                });
        classes().that().resideInAPackage("dev.shrike.graph..").should().onlyDependOnClassesThat(allowed).check(house);
    }

    @Test
    void protobufStaysInsideOnnx() {
        noClasses().that().resideOutsideOfPackage("dev.shrike.onnx..").should().dependOnClassesThat()
                .resideInAPackage("com.google.protobuf..").check(house);
    }

    /** Libraries that speak to others: a class each, so that another one can take their place. */
    @Test
    void eachProtocolHasOneClass() {
        assertEquals(Set.of("dev.shrike.app.outputs.mqtt.MqttConnection"), usersOf("com.hivemq."));
        assertEquals(Set.of("dev.shrike.app.outputs.mqtt.MqttConnection"), usersOf("io.reactivex."));
        assertEquals(Set.of("dev.shrike.app.outputs.mavlink.MavlinkMessages"), usersOf("io.dronefleet."));
        assertEquals(Set.of("dev.shrike.app.outputs.Metrics"), usersOf("io.prometheus."));
    }

    /**
     * The package {@code dev.shrike} itself is left out: a user starts there ({@code Frame.read},
     * {@code Detectors.open}) and is led to vision and spi, which speak of frames and options in turn. Cycles through
     * it are by design.
     */
    @Test
    void packagesFormNoCycles() {
        slices().matching("dev.shrike.(*)..").should().beFreeOfCycles().check(house);
        slices().matching("dev.shrike.(graph.*)..").should().beFreeOfCycles().check(house);
        layeredGraph();
        slices().matching("dev.shrike.app.(*)..").should().beFreeOfCycles().check(house);
        slices().matching("dev.shrike.app.serve.(*)..").should().beFreeOfCycles().check(house);
        noClasses().that().resideInAnyPackage("dev.shrike.app.serve.config", "dev.shrike.app.page",
                "dev.shrike.app.serve.systemd").should().dependOnClassesThat()
                .resideInAPackage("dev.shrike.app.serve").check(house);
        slices().matching("dev.shrike.app.bench.(*)..").should().beFreeOfCycles().check(house);
        slices().matching("dev.shrike.calibration.(*)..").should().beFreeOfCycles().check(house);
    }

    /** Passes ask no evaluator; the arithmetic and the kernels know neither whole graphs' shapes nor passes. */
    private static void layeredGraph() {
        requireLayers("dev.shrike.graph",
                List.of("shapes", "quantization", "kernels", "inference", "evaluation", "passes"));
        noClasses().that().resideInAPackage("dev.shrike.graph.passes").should().dependOnClassesThat()
                .resideInAPackage("dev.shrike.graph.evaluation").check(house);
        noClasses().that().resideInAPackage("dev.shrike.graph").should().dependOnClassesThat()
                .resideInAPackage("dev.shrike.graph.*").check(house);
    }

    /** No package depends on one that stands after it in the order. */
    private static void requireLayers(String parent, List<String> order) {
        for (int i = 0; i + 1 < order.size(); i++) {
            String[] above = order.stream().skip(i + 1).map(name -> parent + "." + name).toArray(String[]::new);
            noClasses().that().resideInAPackage(parent + "." + order.get(i)).should().dependOnClassesThat()
                    .resideInAnyPackage(above).check(house);
        }
    }

    /** The engine for the processor in layers, lowest first; none of them knows the backend that stands on all. */
    @Test
    void packagesOfTheCpuEngineFormLayers() throws IOException {
        if (!hasClasses("platforms/cpu")) {
            return;
        }
        slices().matching("dev.shrike.cpu.(*)..").should().beFreeOfCycles().check(house);
        requireLayers("dev.shrike.cpu",
                List.of("file", "binding", "lowering", "steps", "vendor", "plan", "tuning"));
        noClasses().that().resideInAPackage("dev.shrike.cpu.binding").should().dependOnClassesThat()
                .resideInAPackage("dev.shrike.cpu.file").check(house);
        noClasses().that().resideInAPackage("dev.shrike.cpu.*").should().dependOnClassesThat()
                .resideInAPackage("dev.shrike.cpu").check(house);
    }

    /**
     * The TensorRT engine in layers, lowest first; those for building and for kernels know nothing of each other, and
     * none knows the backend.
     */
    @Test
    void packagesOfTheTensorRtEngineFormLayers() throws IOException {
        if (!hasClasses("platforms/jetson")) {
            return;
        }
        slices().matching("dev.shrike.jetson.(*)..").should().beFreeOfCycles().check(house);
        requireLayers("dev.shrike.jetson", List.of("binding", "kernels", "engine", "execution"));
        noClasses().that().resideInAPackage("dev.shrike.jetson.engine").should().dependOnClassesThat()
                .resideInAPackage("dev.shrike.jetson.kernels").check(house);
        noClasses().that().resideInAPackage("dev.shrike.jetson.*").should().dependOnClassesThat()
                .resideInAPackage("dev.shrike.jetson").check(house);
    }

    /** A package inside another one is what the outer one stands on. */
    @Test
    void innerPackagesKnowNothingOfOuterOnes() {
        for (String inner : List.of("dev.shrike.calibration.prune.channels",
                "dev.shrike.calibration.quantize.rounding", "dev.shrike.onnx.names", "dev.shrike.onnx.writer")) {
            noClasses().that().resideInAPackage(inner).should().dependOnClassesThat()
                    .resideInAPackage(inner.substring(0, inner.lastIndexOf('.'))).check(house);
        }
    }

    /** A package is one concern. Whoever splits one of those that are still larger takes it off the list. */
    @Test
    void packagesAreSmall() throws IOException {
        Map<String, Integer> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(root())) {
            all.filter(file -> file.toString().contains("/src/main/java/") && file.toString().endsWith(".java"))
                    .filter(file -> !file.toString().endsWith("-info.java"))
                    .forEach(file -> files.merge(packageOf(file), 1, Integer::sum));
        }
        assertTrue(files.size() > 20, "found only " + files.keySet());
        files.values().removeIf(count -> count <= MOST_FILES);
        assertEquals(LARGE_PACKAGES.keySet(), files.keySet(),
                "packages of more than " + MOST_FILES + " files: " + files);
    }

    private static String packageOf(Path file) {
        String folder = file.getParent().toString();
        String sources = "/src/main/java/";
        return folder.substring(folder.lastIndexOf(sources) + sources.length()).replace('/', '.');
    }

    /**
     * Each library has a binding and, where loading can fail in its own ways, a loader: no third class sees its types,
     * but for oneDNN's, whose binding has a class for floats and one for codes (decision 11), OpenCV's matrices, which
     * users may bring (decision 56), FFmpeg, which is read and written (decision 59), and TensorRT's, whose objects
     * have a class each behind the one that opens it (decision 95). What links C functions: ours (NativeLibrary,
     * NativeLoader), our face of ARM Compute Library (AclLibrary), OpenMP's, the C library's unix datagrams
     * (UnixDatagram) and calls on devices (CLibrary), what FFmpeg asks whether to go on (InterruptFlag), and
     * OpenBLAS's product (OpenBlas, decision 21).
     */
    @Test
    void eachNativeLibraryHasOneBinding() throws IOException {
        // The bench runs OpenCV's network module as a rival (decision 73).
        assertEquals(
                Set.of("dev.shrike.vision.MatFrames", "dev.shrike.vision.OpenCv", "dev.shrike.vision.OpenCvLibrary",
                        "dev.shrike.app.bench.rivals.OpenCvDnn"),
                usersOf("org.bytedeco.opencv."));
        assertEquals(Set.of("dev.shrike.calibration.linear.OpenBlas"), usersOf("org.bytedeco.openblas."));
        assertEquals(Set.of("dev.shrike.sources.FfmpegInput", "dev.shrike.sources.FfmpegLibrary",
                "dev.shrike.sources.FfmpegOutput"), usersOf("org.bytedeco.ffmpeg."));
        Set<String> linking = new TreeSet<>(
                Set.of("dev.shrike.calibration.linear.OpenBlas",
                        "dev.shrike.sources.CLibrary", "dev.shrike.sources.InterruptFlag",
                        "dev.shrike.app.serve.systemd.UnixDatagram"));
        if (hasClasses("platforms/cpu")) {
            assertEquals(
                    Set.of("dev.shrike.cpu.vendor.OneDnn", "dev.shrike.cpu.vendor.OneDnnInt8",
                            "dev.shrike.cpu.vendor.OneDnnFloats"),
                    usersOf("org.bytedeco.dnnl."));
            linking.addAll(Set.of("dev.shrike.cpu.binding.NativeLibrary", "dev.shrike.cpu.binding.NativeLoader",
                    "dev.shrike.cpu.vendor.AclLibrary", "dev.shrike.cpu.binding.OpenMp"));
        }
        if (hasClasses("platforms/jetson")) {
            String binding = "dev.shrike.jetson.binding.";
            assertEquals(Set.of(binding + "CudaLibrary"), usersOf("org.bytedeco.cuda."));
            Set<String> users = usersOf("org.bytedeco.tensorrt.");
            assertEquals(
                    Stream.of("TensorRtLibrary", "TensorRtLog", "TensorTypes", "NetworkBuild", "Calibrators",
                            "LoadedEngine", "EngineContext").map(binding::concat).collect(Collectors.toSet()),
                    users);
            // Others see the library alone: its pieces are private to their package.
            assertEquals(Set.of(binding + "TensorRtLibrary"), house.stream()
                    .filter(type -> users.contains(type.getName()) && type.getModifiers().contains(JavaModifier.PUBLIC))
                    .map(JavaClass::getName).collect(Collectors.toSet()));
            // Destructors that the binding has not (decision 48).
            linking.add(binding + "CppDestructor");
        }
        assertEquals(linking, usersOf("java.lang.foreign.Linker", "java.lang.foreign.SymbolLookup"));
    }

    /**
     * A library does not touch the process that it lives in (decision 84). The command may, and so may the process of
     * its own that trains, whose standard output is for its protocol.
     */
    @Test
    void librariesLeaveTheProcessAlone() {
        Map<String, Set<String>> methods = Map.of(
                System.class.getName(),
                Set.of("setProperty", "setProperties", "clearProperty", "gc", "setErr", "setOut",
                        "setIn", "exit"),
                Runtime.class.getName(), Set.of("gc", "exit", "halt"),
                Locale.class.getName(), Set.of("setDefault"),
                TimeZone.class.getName(), Set.of("setDefault"),
                Thread.class.getName(), Set.of("setDefaultUncaughtExceptionHandler"));
        noClasses().that().resideOutsideOfPackage(APP)
                .and().doNotHaveFullyQualifiedName("dev.shrike.training.torch.TrainingMain")
                .and().doNotHaveFullyQualifiedName("dev.shrike.training.torch.ParentLink")
                .should(callOneOf(methods)).check(house);
        // A call during which the collector of the whole process waits.
        noClasses().should().callMethod(Linker.Option.class, "critical", boolean.class).check(house);
    }

    private static ArchCondition<JavaClass> callOneOf(Map<String, Set<String>> methods) {
        return new ArchCondition<>("call one of " + methods) {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                Stream.concat(type.getMethodCallsFromSelf().stream(), type.getMethodReferencesFromSelf().stream())
                        .filter(call -> methods.getOrDefault(call.getTargetOwner().getName(), Set.of())
                                .contains(call.getName()))
                        .forEach(call -> events.add(SimpleConditionEvent.satisfied(call, call.getDescription())));
            }
        };
    }

    @Test
    void everyModuleDeclaresItself() throws IOException {
        List<String> modules = Pattern.compile("<module>([^<]+)</module>")
                .matcher(Files.readString(root().resolve("pom.xml"))).results().map(match -> match.group(1)).toList();
        Set<String> undeclared = new TreeSet<>();
        int declared = 0;
        for (String module : modules) {
            if (Files.isRegularFile(root().resolve(module).resolve("src/main/java/module-info.java"))) {
                declared++;
            } else if (hasClasses(module) && !module.equals("deploy/packaging")) {
                // Packaging runs in the build alone and is no library.
                undeclared.add(module);
            }
        }
        assertEquals(Set.of(), undeclared, "modules without module-info.java");
        assertTrue(declared >= 3, "found only " + declared + " declared modules below " + root());
    }

    /** The top-level classes that touch a type whose name begins so. */
    private static Set<String> usersOf(String... prefixes) {
        return house.stream()
                .filter(type -> type.getDirectDependenciesFromSelf().stream()
                        .map(dependency -> dependency.getTargetClass().getBaseComponentType().getName())
                        .anyMatch(name -> Stream.of(prefixes).anyMatch(name::startsWith)))
                .map(type -> type.getName().replaceFirst("\\$.*", ""))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Whether a module's sources hold more than its descriptor. */
    private static boolean hasClasses(String module) throws IOException {
        Path sources = root().resolve(module).resolve("src/main/java");
        if (!Files.isDirectory(sources)) {
            return false;
        }
        try (Stream<Path> files = Files.walk(sources)) {
            return files.map(file -> file.getFileName().toString())
                    .anyMatch(name -> name.endsWith(".java") && !name.endsWith("-info.java"));
        }
    }

    private static Path root() throws IOException {
        for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            Path pom = folder.resolve("pom.xml");
            if (Files.isRegularFile(pom) && Files.readString(pom).contains("<modules>")) {
                return folder;
            }
        }
        return fail("no parent pom above " + Path.of("").toAbsolutePath());
    }
}
