package dev.shrike.calibration.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.vision.Images;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("any-processor")
class YoloDataTest {
    private static final String SOUND = "path: .\nval: valid/images\nnames:\n  0: no\n  1: on\n";

    @TempDir
    private Path folder;

    private Path labels;

    @BeforeEach
    void makeImages() throws IOException {
        Path images = Files.createDirectories(folder.resolve("valid/images/night"));
        labels = Files.createDirectories(folder.resolve("valid/labels/night"));
        Images.write(Frame.allocate(40, 20), images.resolve("0002.png"));
        Images.write(Frame.allocate(40, 20), images.resolveSibling("10.jpg"));
        Images.write(Frame.allocate(40, 20), images.resolveSibling("10.png"));
        Images.write(Frame.allocate(40, 20), images.resolveSibling("park.png"));
        Files.writeString(images.resolve("notes.md"), "no image");
    }

    private DataSet read(String yaml) throws IOException {
        Files.writeString(folder.resolve("data.yaml"), yaml);
        return DataSets.open(folder);
    }

    private String error(String yaml) {
        return assertThrows(DataSetException.class, () -> read(yaml)).getMessage();
    }

    @Test
    void imagesHaveTheLabelsBesideThem() throws IOException {
        Files.writeString(labels.resolve("0002.txt"), "1 0.5 0.5 0.25 0.5\r\n\n0 .1 .2 .1 .2\n1 0.5 0.5 0.25 0.5\n");
        DataSet data = read(SOUND).requireImages();
        assertEquals(List.of(new Category(0, "no"), new Category(1, "on")), data.categories());
        assertEquals(List.of("2", "10", "park", "10.png"), ids(data));
        Sample night = data.samples().getFirst();
        // The line that is there twice counts once.
        assertEquals(2, night.boxes().size());
        assertEquals(List.of(GroundTruth.of(1, 15, 5, 10, 10)), night.boxesInPixels().subList(0, 1));
        assertEquals(List.of(GroundTruth.of(1, 30, 10, 20, 20)), night.boxesIn(80, 40).subList(0, 1));
        assertEquals(List.of(), data.samples().get(1).boxesInPixels());
    }

    /** Of two images of one number the second is named by its path, as the stem is taken too. */
    private static List<String> ids(DataSet data) {
        return data.samples().stream().map(Sample::id).map(id -> Path.of(id).getFileName().toString()).toList();
    }

    @Test
    void outlinesBecomeTheBoxAroundThem() throws IOException {
        Files.writeString(labels.resolve("0002.txt"), "0 0.1 0.5 0.3 0.25 0.5 0.75 0.2 0.5");
        GroundTruth box = read(SOUND).samples().getFirst().boxes().getFirst();
        assertEquals(0.1, box.x(), 1e-12);
        assertEquals(0.25, box.y(), 1e-12);
        assertEquals(0.4, box.width(), 1e-12);
        assertEquals(0.5, box.height(), 1e-12);
    }

    @ParameterizedTest
    @ValueSource(strings = {
            "val: valid/images\nnames: [a, b]\nnc: 2", "val: ../valid/images\nnames: [a, b]",
            "path: valid\nval: images\n"
                    + "names: {0: a, 1: b}",
            "path: /not/here/any/more\nval: [valid/images]\nnames: [a, b]", "val: "
                    + "list.txt\nnames: [a, b]",
            "val: [valid/images/night, valid/images/10.jpg, "
                    + "valid/images/10.png, valid/images/park.png]\nnames: [a, b]"
    })
    void theFormsThatAreInUse(String yaml) throws IOException {
        Files.writeString(
                folder.resolve("list.txt"),
                "./valid/images/10.png\nvalid/images/10.jpg\n\nvalid/images/night/0002.png\nvalid/images/park.png\n");
        Files.writeString(labels.resolve("0002.txt"), "1 0.5 0.5 0.25 0.5");
        DataSet data = read(yaml);
        assertEquals(4, data.requireImages().samples().size());
        assertEquals(1, data.samples().getFirst().boxes().size());
    }

    @Test
    void partsAreChosenByName() throws IOException {
        Files.writeString(folder.resolve("data.yaml"), SOUND.replace("val:", "train:"));
        assertEquals(4, DataSets.open(folder, null, "train").samples().size());
        String message = assertThrows(DataSetException.class, () -> DataSets.open(folder)).getMessage();
        assertTrue(message.contains("has no 'val'; it has 'path', 'train', 'names'"), message);
    }

    /** The image is left out as a whole: what is in it is not known. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                    "1 0.5 0.5 0.25|has 4 values; a box has 5|WRONG_COLUMNS",
                    "1 0.5 0.5 0.25 0.5 0.5|has 6 values|WRONG_COLUMNS",
                    "1|has 1 value; a box has 5|WRONG_COLUMNS",
                    "2 0.5 0.5 0.25 0.5|class 2 is none of the 2 that 'names' has|UNKNOWN_CLASS",
                    "-1 0.5 0.5 0.25 0.5|-1 is no class|UNKNOWN_CLASS",
                    "0.5 0.5 0.5 0.25 0.5|class 0.5 is none|UNKNOWN_CLASS",
                    "1 320 0.5 0.25 0.5|320 is not within 0 to 1|OUT_OF_RANGE",
                    "1 0.5 Infinity 0.25 0.5|Infinity is not within 0 to 1|OUT_OF_RANGE",
                    "1 NaN 0.5 0.25 0.5|'NaN' is no number|NO_NUMBER",
                    "NaN 0.5 0.5 0.25 0.5|'NaN' is no number|NO_NUMBER",
                    "1 0.5 0.5 -0.25 0.5|-0.25 is not within 0 to 1|OUT_OF_RANGE",
                    "1 0.5 0.5 wide 0.5|'wide' is no number|NO_NUMBER",
                    "0 0.1 0.5 0.3 0.25 0.5 1.75|1.75 is not within 0 to 1|OUT_OF_RANGE",
            })
    void brokenLabelsNameFileAndLine(String line, String message, Problem.Kind kind) throws IOException {
        Path file = Files.writeString(labels.resolve("0002.txt"), "0 0.5 0.5 0.5 0.5\n" + line + "\n");
        DataSet data = read(SOUND);
        assertEquals(List.of("10", "park", "10.png"), ids(data));
        assertEquals(1, data.problems().size());
        Problem problem = data.problems().getFirst();
        assertEquals(kind, problem.kind());
        assertTrue(problem.message().startsWith(file + ":2: " + message), problem.message());
        assertEquals("4 images, 0 labelled, 0 without objects, 3 without a label file, 1 left out, 0 of other kinds",
                data.census().toString());
    }

    @Test
    void labelFilesOfEveryEditorAreRead() throws IOException {
        Path file = labels.resolve("0002.txt");
        String box = "1 0.5 0.5 0.25 0.5";
        for (byte[] text : List.of(("\uFEFF" + box + "\r\n").getBytes(StandardCharsets.UTF_8),
                ("\uFEFF" + box).getBytes(StandardCharsets.UTF_16LE), box.getBytes(StandardCharsets.UTF_16),
                (" \t" + box.replace(" ", "\t") + "\r\r").getBytes(StandardCharsets.UTF_8),
                ("\n\n" + box + "\n\uFEFF").getBytes(StandardCharsets.UTF_8))) {
            Files.write(file, text);
            DataSet data = read(SOUND);
            assertEquals(List.of(), data.problems());
            assertEquals(1, data.samples().getFirst().boxes().size());
        }
        Files.write(file, new byte[] {'1', (byte) 0xc3, ' '});
        assertEquals(Problem.Kind.UNREADABLE_LABELS, read(SOUND).problems().getFirst().kind());
        Files.delete(file);
        Files.createDirectory(file);
        assertEquals(Problem.Kind.UNREADABLE_LABELS, read(SOUND).problems().getFirst().kind());
    }

    @Test
    void duplicatesCountOnceAndAreTold() throws IOException {
        Files.writeString(labels.resolve("0002.txt"), "1 .5 .5 .2 .2\n1 0.5 0.5 0.2 0.2\n");
        DataSet data = read(SOUND);
        assertEquals(1, data.samples().getFirst().boxes().size());
        assertEquals(List.of(Problem.Kind.DUPLICATE), data.problems().stream().map(Problem::kind).toList());
    }

    /** An empty label file says that there is nothing in the image, a missing one says nothing. */
    @Test
    void theCensusTellsWhatIsThere() throws IOException {
        Path images = folder.resolve("valid/images");
        Files.writeString(labels.resolve("0002.txt"), "1 0.5 0.5 0.25 0.5");
        Files.writeString(labels.resolveSibling("park.txt"), "");
        Files.write(images.resolve("._10.jpg"), new byte[] {0, 5, 22, 7});
        Files.writeString(images.resolve("film.gif"), "GIF89a");
        Files.writeString(images.resolve("tool.exe"), "");
        Files.writeString(images.resolve(".DS_Store"), "");
        Files.createDirectories(images.resolve(".thumbs"));
        Files.copy(images.resolve("10.png"), images.resolve(".thumbs/10.png"));
        Files.createSymbolicLink(images.resolve("gone.png"), folder.resolve("nowhere.png"));
        Files.createSymbolicLink(images.resolve("loop"), images);
        DataSet data = read(SOUND);
        assertEquals("5 images, 1 labelled, 1 without objects, 2 without a label file, 1 left out, 3 of other kinds",
                data.census().toString());
        List<String> problems = data.problems().stream().map(Problem::message).toList();
        assertEquals(2, problems.size(), problems.toString());
        assertTrue(
                problems.contains(images.resolve("film.gif") + ": GIF files are not read: convert it to PNG or JPEG"));
        assertTrue(problems.contains(images.resolve("gone.png") + ": is a link to a file that is missing"));
    }

    @Test
    void foldersMayBeLinks() throws IOException {
        Files.writeString(labels.resolve("0002.txt"), "1 0.5 0.5 0.25 0.5");
        Files.move(folder.resolve("valid/images"), folder.resolve("real"));
        Files.createSymbolicLink(folder.resolve("valid/images"), folder.resolve("real"));
        DataSet data = read(SOUND);
        assertEquals(4, data.samples().size());
        assertEquals(1, data.samples().getFirst().boxes().size());
    }

    /** YOLOv5 means its own folder, which is above that of the file; Ultralytics a folder of data sets. */
    @ParameterizedTest
    @CsvSource({"yolov5/data, ../datasets/set", "yolov5/data, datasets/set", "ultralytics/cfg, set", "., datasets/set",
            "deep, ../datasets/set", "., 'datasets\\set'"})
    void pathIsMeantInSeveralWays(String place, String path) throws IOException {
        Path set = Files.createDirectories(folder.resolve("datasets")).resolve("set");
        Files.move(folder.resolve("valid"), set);
        Path yaml = Files.createDirectories(folder.resolve(place)).resolve("coco.yaml");
        if (path.equals("datasets/set") && !place.equals(".")) {
            Files.createDirectories(folder.resolve("yolov5/datasets"));
            Files.move(set, folder.resolve("yolov5/datasets/set"));
        }
        Files.writeString(yaml, "path: " + path + "\nval: images\nnames: [a, b]\n");
        assertEquals(4, DataSets.open(yaml).samples().size());
        Files.writeString(yaml, "path: " + path + "\nval: imges\nnames: [a, b]\n");
        String message = assertThrows(DataSetException.class, () -> DataSets.open(yaml)).getMessage();
        assertTrue(message.contains("'val' names 'imges', which does not exist; looked for ")
                && message.contains(folder.toString()), message);
    }

    @Test
    void listsNameImagesAsTheyStandOrBesideThem() throws IOException {
        Path list = folder.resolve("lists/val.txt");
        Files.createDirectories(list.getParent());
        Files.writeString(list, "\uFEFF../valid/images/10.png\r\n# a remark\r\n..\\valid\\images\\park.png\r\n"
                + folder.resolve("valid/images/10.jpg") + "\r\nvalid/images/night/0002.png\r\nnone.png\r\n");
        DataSet data = read("val: lists/val.txt\nnames: [a, b]\n");
        assertEquals(List.of("2", "10", "park", "10.jpg"), ids(data));
        assertEquals(List.of(list + ": none.png: the image is missing"),
                data.problems().stream().map(Problem::message).toList());
        assertEquals(5, data.census().images());
        // By itself a list knows no root.
        assertEquals(3, DataSets.listed(list).size());
        Files.writeString(list, "none.png\nno.png\n");
        String message = error("val: lists/val.txt\nnames: [a, b]\n");
        assertTrue(
                message.startsWith(list + ": none of the 2 images that it lists exists, the first being 'none.png'")
                        && message.contains("relative to the list") && !message.contains("--images"),
                message);
    }

    @Test
    void toCalibrateWithThePartToTrainOnIsTaken() throws IOException {
        Files.writeString(folder.resolve("data.yaml"), "\uFEFFtrain: valid/images/night\nval: valid/images\n");
        assertEquals(1, DataSets.images(folder).size());
        Files.writeString(folder.resolve("data.yaml"), "val: valid/images\n");
        assertEquals(4, DataSets.images(folder.resolve("data.yaml")).size());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                    "val: valid/images|has no 'names'",
                    "names: [a]|has no 'val'",
                    "~val: valid/images\nnames: 3~|'names' is neither a list nor a map",
                    "~val: valid/images\nnames: {0: a, 2: b}~|'names' has the class ids [0, 2], not all from 0 on",
                    "~val: valid/images\nnames: {a: 0}~|'names' has the key 'a', which is no class id",
                    "~val: valid/images\nnames: [a]\nnc: 2~|'nc' is 2, but 'names' has 1 classes",
                    "~val: nowhere\nnames: [a]~|'val' names 'nowhere', which does not exist; looked for ",
                    "~val: 3\nnames: [a]~|'val' is 3, not a folder or text file",
                    "~val: valid/labels\nnames: [a]~|'val' has no images",
                    "~val: [valid/images~|no valid YAML",
                    "just text|is no map",
                    "~~|is no map",
                    "~a: &a [*a]\nval: *a\nnames: [a]~|'val' is a list, not a folder",
                    "~a: &a [*a]\nval: valid/images\nnames: *a~|'names' has a list, which is no name",
                    "~val: !!javax.script.ScriptEngineManager [x]\nnames: [a]~|no valid YAML",
            })
    void brokenDescriptionsNameTheField(String yaml, String message) {
        String told = error(yaml);
        assertTrue(told.startsWith(folder.resolve("data.yaml") + ": ") && told.contains(message), told);
    }

    @Test
    void hostileYamlNeitherOverflowsNorFillsTheMemory() {
        assertTrue(error("val: " + "[".repeat(200_000)).contains("data.yaml: "));
        StringBuilder bomb = new StringBuilder("a0: &a0 [x, x]\n");
        for (int i = 1; i < 60; i++) {
            bomb.append("a" + i + ": &a" + i + " [*a" + (i - 1) + ", *a" + (i - 1) + "]\n");
        }
        assertTrue(error(bomb + "val: *a59\nnames: [a]").contains("data.yaml: "));
    }
}
