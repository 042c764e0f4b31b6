package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.Frame;
import dev.shrike.graph.Graph;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.vision.Images;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The options of {@code shrike detect} that YOLOv5's detect.py has, from arguments to files. */
class DetectOptionsTest {
    @TempDir
    private static Path models;

    private static Path model;

    @TempDir
    private Path folder;

    private Path image;
    private Path project;

    private record Outcome(int exit, String out, String err) {}

    @BeforeAll
    static void makeModel() {
        model = ToyModel.write(models.resolve("toy.onnx"));
    }

    @BeforeEach
    void makeImage() {
        image = ToyModel.redAndBlue(folder.resolve("blocks.png"));
        project = folder.resolve("runs");
    }

    private Outcome detect(Path weights, Object... more) {
        List<String> args = new ArrayList<>(List.of(
                "detect", "--weights", weights.toString(), "--project", project.toString(), "--threads", "1"));
        for (Object arg : more) {
            args.add(arg.toString());
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = Main.run(args.toArray(String[]::new), new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Outcome(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** The toy model with these names of classes, in Python's form, or without any. */
    private Path named(String names) {
        Graph toy = OnnxModels.read(model);
        Map<String, String> metadata = names == null ? Map.of("stride", "32") : Map.of("names", names, "stride", "32");
        Path file = folder.resolve("named.onnx");
        OnnxModels.write(new Graph(toy.name(), toy.inputs(), toy.outputs(), toy.nodes(), toy.constants(),
                toy.quantization(), metadata), file);
        return file;
    }

    private List<String> written() throws IOException {
        if (!Files.exists(project)) {
            return List.of();
        }
        try (var files = Files.walk(project)) {
            return files.filter(Files::isRegularFile).map(file -> project.relativize(file).toString()).sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            --conf 1                                | (no detections)
            --conf 0.9 --iou 0.5                    | 1 red block, 1 blue block
            --classes 0 --classes 1                 | 1 red block, 1 blue block
            --classes 1 --classes 1                 | 1 blue block
            --device cpu                            | 1 red block, 1 blue block
            --device CPU --engine cpu               | 1 red block, 1 blue block
            --vid-stride 4                          | 1 red block, 1 blue block
            --exist-ok --line-thickness 3           | 1 red block, 1 blue block
            """)
    void optionsReachTheDetector(String options, String seen) {
        List<Object> args = new ArrayList<>(List.of(options.split(" +")));
        args.add(image);
        Outcome outcome = detect(model, args.toArray());
        assertEquals(0, outcome.exit(), outcome.err());
        assertEquals("", outcome.err());
        assertTrue(outcome.out().contains(": 64x64 " + seen), outcome.out());
    }

    @Test
    void classesGoByName() {
        assertTrue(detect(model, "--classes", "blue block", image).out().contains(": 64x64 1 blue block,"));
        assertTrue(detect(model, "--classes", "Red Block,1", image).out().contains("1 red block, 1 blue block"));
        assertTrue(detect(model, "--classes", "0", "--classes", "blue block", image).out()
                .contains("1 red block, 1 blue block"));
        Outcome wrong = detect(model, "--classes", "blu block", image);
        assertEquals(2, wrong.exit());
        assertEquals("shrike: --classes: the model has no class 'blu block', did you mean 'blue block'? It has red"
                + " block, blue block\n", wrong.err());
        assertTrue(detect(model, "--classes", "zebra", image).err().contains("no class 'zebra'. It has red block"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            --half       | --half changes nothing: the CPU engine has no arithmetic of 16-bit floats
            --dnn        | --dnn changes nothing: ONNX files run on the engines that 'shrike doctor' lists
            --view-img   | --view-img opens no window: look at the images in the folder of the run
            --visualize  | --visualize writes nothing
            --update     | --update changes nothing
            """)
    void whatChangesNothingSaysSo(String option, String sentence) {
        Outcome outcome = detect(model, option, image);
        assertEquals(0, outcome.exit(), outcome.err());
        assertEquals(1, outcome.err().lines().count(), outcome.err());
        assertTrue(outcome.err().startsWith(sentence), outcome.err());
        assertTrue(outcome.out().contains("1 red block, 1 blue block"), outcome.out());
        assertEquals("", detect(model, option, image, "--quiet").err());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            --device 1                   | --device 1: one GPU is used, which is called 0; CUDA_VISIBLE_DEVICES
            --device 0,1                 | --device 0,1: one GPU is used
            --device mps                 | --device 'mps': there are engines for cpu and for NVIDIA's GPUs
            --device cpu --engine x      | --device cpu means --engine cpu, not x
            --line-thickness -1          | --line-thickness: line thickness -1 is not within 0 to 100
            --vid-stride 0               | --vid-stride 0 is less than 1
            --hide-lables                | Unknown option: '--hide-lables', did you mean '--hide-labels'?
            --save-csvs=1                | Unknown option: '--save-csvs=1', did you mean '--save-csv'?
            """)
    void senselessOptionsAreUsageErrors(String options, String message) {
        List<Object> args = new ArrayList<>(List.of(options.split(" +")));
        args.add(image);
        Outcome outcome = detect(model, args.toArray());
        assertEquals(2, outcome.exit(), outcome.err());
        assertTrue(outcome.err().contains(message), outcome.err());
        assertEquals("", outcome.out());
    }

    @Test
    void cropsHaveTheMarginsOfYolov5() throws IOException {
        ToyModel.image(folder.resolve("two.png"), 1, 2, 5, 5);
        assertEquals(0, detect(model, folder, "--save-crop", "--nosave").exit());
        assertEquals(List.of("exp/crops/blue block/blocks.jpg", "exp/crops/red block/blocks.jpg",
                "exp/crops/red block/two.jpg", "exp/crops/red block/two2.jpg"), written());
        Frame crop = Frame.read(project.resolve("exp/crops/red block/blocks.jpg"));
        // A box of 8 pixels at 8,16: 8 * 1.02 + 10 = 18.16 around 12,20 is 2.92 to 21.08 and 10.92 to 29.08.
        assertEquals(19, crop.width());
        assertEquals(19, crop.height());
    }

    @Test
    void namesOfClassesAreNoPaths() throws IOException {
        Path hostile = named("{0: '../../up/../x', 1: '..'}");
        assertEquals(0, detect(hostile, image, "--save-crop", "--nosave").exit());
        assertEquals(List.of("exp/crops/.._.._up_.._x/blocks.jpg", "exp/crops/class1/blocks.jpg"), written());
        Path long1 = named("{0: '" + "ü".repeat(300) + "', 1: ''}");
        assertEquals(0, detect(long1, image, "--save-crop", "--nosave").exit());
        assertTrue(Files.exists(project.resolve("exp2/crops/" + "ü".repeat(100) + "/blocks.jpg")),
                written().toString());
        assertTrue(Files.exists(project.resolve("exp2/crops/class1/blocks.jpg")), written().toString());
    }

    @Test
    void theCsvHasARowForEachObject() throws IOException {
        Path other = ToyModel.image(folder.resolve("z,\"z\".png"), 0, 0);
        Path named = named("{0: 'red, \"very\"', 1: 'blue'}");
        assertEquals(0, detect(named, image, other, "--save-csv", "--nosave").exit());
        List<String> rows = Files.readAllLines(project.resolve("exp/predictions.csv"));
        assertEquals(List.of("Image Name,Prediction,Confidence", "blocks.png,\"red, \"\"very\"\"\",1.00",
                "blocks.png,blue,1.00", "\"z,\"\"z\"\".png\",\"red, \"\"very\"\"\",1.00"), rows);
    }

    @Test
    void labelsScoresAndThicknessShowInTheImage() throws IOException {
        Path large = folder.resolve("large.png");
        Frame frame = Frame.allocate(640, 640);
        frame.pixels().fill((byte) 0);
        for (int y = 160; y < 240; y++) {
            for (int x = 80; x < 160; x++) {
                frame.pixels().set(ValueLayout.JAVA_BYTE, 3L * (y * 640 + x) + 2, (byte) 255);
            }
        }
        Images.write(frame, large);
        String[][] styles = {{}, {"--hide-conf"}, {"--hide-labels"}, {"--line-thickness", "9"}};
        List<Frame> drawn = new ArrayList<>();
        for (String[] style : styles) {
            List<Object> args = new ArrayList<>(List.of(style));
            args.add(large);
            assertEquals(0, detect(model, args.toArray()).exit());
            drawn.add(Frame.read(project.resolve(drawn.isEmpty() ? "exp" : "exp" + (drawn.size() + 1))
                    .resolve("large.png")));
        }
        for (int i = 0; i < drawn.size(); i++) {
            for (int j = 0; j < i; j++) {
                assertTrue(drawn.get(i).pixels().mismatch(drawn.get(j).pixels()) >= 0, i + " equals " + j);
            }
        }
    }

    @Test
    void aDataSetNamesTheClassesOfAModelWithoutNames() throws IOException {
        Path data = Files.writeString(folder.resolve("data.yaml"), "nc: 2\nnames: ['rot', 'blau']\n");
        Path nameless = named(null);
        assertTrue(nameless(nameless).out().contains("1 class0, 1 class1"));
        assertTrue(nameless(nameless, "--data", data).out().contains("1 rot, 1 blau"));
        assertTrue(nameless(nameless, "--data", data, "--classes", "blau").out()
                .contains(": 64x64 1 blau,"));
        assertTrue(detect(model, image, "--nosave", "--data", data).out().contains("1 red block, 1 blue block"));
        Files.writeString(data, "names: [a, b, c]\n");
        Outcome outcome = nameless(nameless, "--data", data);
        assertEquals(2, outcome.exit());
        assertEquals("shrike: --data names 3 classes, the model has 2\n", outcome.err());
        assertEquals(1, nameless(nameless, "--data", folder.resolve("none.yaml")).exit());
    }

    /** Without names, the form of an output of one stride has to be given. */
    private Outcome nameless(Path model, Object... more) {
        List<Object> args = new ArrayList<>(List.of(image, "--nosave", "--head", "yolov5"));
        args.addAll(List.of(more));
        return detect(model, args.toArray());
    }

    @Test
    void aImageCanComeOnTheStandardInput() throws IOException {
        InputStream before = System.in;
        try {
            System.setIn(new ByteArrayInputStream(Files.readAllBytes(image)));
            Outcome outcome = detect(model, "-", image);
            assertEquals(0, outcome.exit(), outcome.err());
            assertTrue(outcome.out().startsWith("image 1/2 -: 64x64 1 red block, 1 blue block"), outcome.out());
            assertEquals(List.of("exp/blocks.png", "exp/stdin.jpg"), written());
            System.setIn(new ByteArrayInputStream(new byte[0]));
            Outcome empty = detect(model, "-");
            assertEquals(1, empty.exit());
            assertEquals("shrike: standard input: is empty; give an image: shrike detect - < street.jpg\n",
                    empty.err());
            System.setIn(new ByteArrayInputStream("no image".getBytes(StandardCharsets.UTF_8)));
            assertTrue(detect(model, "-").err().startsWith("shrike: standard input: "));
        } finally {
            System.setIn(before);
        }
    }

    @Test
    void listsGlobsAndSeveralSourcesAreLookedAt() throws IOException {
        Path deep = Files.createDirectories(folder.resolve("in/deep"));
        ToyModel.image(folder.resolve("in/a.png"), 1, 1);
        ToyModel.image(deep.resolve("b.png"), 2, 2);
        Path list = Files.writeString(folder.resolve("list.txt"), "blocks.png\nin/a.png\n");
        Outcome outcome = detect(model, list, "--source", folder + "/in/**/*.png", "--nosave");
        assertEquals(0, outcome.exit(), outcome.err());
        assertEquals(5, outcome.out().lines().count(), outcome.out());
        assertTrue(outcome.out().startsWith("image 1/4 " + folder + "/in/a.png"), outcome.out());
    }

    /** Views of an image of 64 pixels all have 64 pixels at a stride of 32, so that a fixed model serves. */
    @Test
    void augmentationMergesThreeViews() throws IOException {
        // Red from 8 to 32 across: mirrored and scaled by .83 it fills the cell from 32 to 40, which is at 20.6 here.
        Path wide = ToyModel.image(folder.resolve("wide.png"), 1, 0, 2, 0, 3, 0, 1, 1, 2, 1, 3, 1);
        String[] loose = {"--nosave", "--json", "--conf", "0.99", "--iou", "0.99"};
        JsonNode plain = found(detect(model, wide, loose[0], loose[1], loose[2], loose[3], loose[4], loose[5]));
        JsonNode more = found(
                detect(model, wide, "--augment", loose[0], loose[1], loose[2], loose[3], loose[4], loose[5]));
        assertEquals(6, plain.size());
        assertTrue(more.size() > plain.size(), more.toString());
        boolean mirrored = false;
        for (JsonNode object : more) {
            double left = object.get("box").get(0).asDouble();
            double right = object.get("box").get(2).asDouble();
            mirrored |=
                    Math.abs((left + right) / 2 - (64 - 36 / 0.83)) < 0.05 && Math.abs(right - left - 8 / 0.83) < 0.05;
        }
        assertTrue(mirrored, more.toString());
        // What all views see is one object.
        assertEquals(0, detect(model, image, "--augment", "--nosave").exit());
    }

    @Test
    void whatCannotBeReadIsNotCalledDamaged() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty.shrike"));
        Path closed = Files.copy(model, folder.resolve("closed.shrike"));
        Path inner = Files.createDirectories(folder.resolve("folder.shrike"));
        assertEquals(
                "shrike: " + empty + ": is empty (0 bytes): build it again with 'shrike build', or copy it again\n",
                detect(empty, image).err());
        assertEquals("shrike: " + inner + ": is a folder, not a model file\n", detect(inner, image).err());
        Files.setPosixFilePermissions(closed, Set.of());
        if (!Files.isReadable(closed)) {
            assertEquals("shrike: " + closed + ": may not be read: permission denied\n", detect(closed, image).err());
        }
        Path checkpoint = Files.writeString(folder.resolve("own.pt"), "PK");
        assertTrue(detect(checkpoint, image).err().endsWith("own.pt: is a file of PyTorch by its name, which is not"
                + " read; export it with YOLOv5's 'python export.py --weights own.pt --include onnx'\n"));
        assertTrue(detect(Path.of("yolov5m"), image).err().contains("--weights yolov5m.pt --include onnx"));
        assertTrue(detect(Path.of("yolov5n.pt"), image).err().contains("--weights yolov5n.pt --include onnx"));
    }

    private static JsonNode found(Outcome outcome) throws IOException {
        assertEquals(0, outcome.exit(), outcome.err());
        return new ObjectMapper().readTree(outcome.out()).get("detections");
    }

    @Test
    void augmentationOfModelsOfOneSizeIsRefused() throws IOException {
        Path built = folder.resolve("toy.shrike");
        assertEquals(0, Main.run(new String[] {"build", model.toString(), "-o", built.toString(), "--quiet"},
                System.out, System.err));
        Outcome outcome = detect(built, image, "--augment");
        assertEquals(1, outcome.exit());
        assertTrue(outcome.err().contains("toy.shrike: was built for images of one size"), outcome.err());
        assertFalse(Files.exists(project));
    }
}
