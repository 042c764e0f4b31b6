package dev.shrike.calibration.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.ShrikeException;
import dev.shrike.vision.Images;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("any-processor")
class CocoJsonTest {
    /** Annotations before what they refer to, ids with gaps, things that nobody asked for. */
    private static final String SOUND =
            """
                    {"info": {"nested": [{"id": 1}]},
                     "annotations": [
                       {"id": 7, "image_id": 20, "category_id": 90, "bbox": [1.5, 2, 30, 40], "area": 700.5,
                        "iscrowd": 0, "segmentation": [[1, 2, 3, 4]]},
                       {"id": 8, "image_id": 20, "category_id": 3, "bbox": [0, 0, 5, 5], "area": 25, "iscrowd": 1},
                       {"image_id": 3, "category_id": 3, "bbox": [0, 0, 4, 5]}],
                     "categories": [{"id": 90, "name": "owl"}, {"id": 3, "name": "cat", "supercategory": "animal"}],
                     "images": [{"id": 20, "file_name": "b.png", "width": 64, "height": 48},
                                {"id": 3, "file_name": "sub/a.png"},
                                {"id": 100, "file_name": "c.png", "width": 64, "height": 48}]}
                    """;

    @TempDir
    private Path folder;

    private Path json(String text) throws IOException {
        return Files.writeString(folder.resolve("instances_some.json"), text);
    }

    private DataSet read(String text) throws IOException {
        return DataSets.open(json(text));
    }

    private String error(String text) throws IOException {
        Path file = json(text);
        String message = assertThrows(DataSetException.class, () -> DataSets.open(file)).getMessage();
        assertTrue(message.startsWith(file + ": "), message);
        return message.substring((file + ": ").length());
    }

    @Test
    void categoriesAndImagesAreInTheOrderOfTheirIds() throws IOException {
        DataSet data = read(SOUND);
        assertEquals(List.of(new Category(3, "cat"), new Category(90, "owl")), data.categories());
        assertEquals(List.of("3", "20", "100"), data.samples().stream().map(Sample::id).toList());
        assertEquals(
                List.of(new GroundTruth(1, 1.5, 2, 30, 40, 700.5, false), new GroundTruth(0, 0, 0, 5, 5, 25, true)),
                data.samples().get(1).boxes());
        assertEquals(List.of(new GroundTruth(0, 0, 0, 4, 5, 20, false)), data.samples().getFirst().boxes());
        assertEquals(folder.resolve("sub/a.png"), data.samples().getFirst().file());
        assertEquals(List.of(), data.samples().get(2).boxes());
    }

    @Test
    void aGzippedFileReadsTheSame() throws IOException {
        Path file = folder.resolve("x.json.gz");
        try (OutputStream stream = new GZIPOutputStream(Files.newOutputStream(file))) {
            stream.write(SOUND.getBytes(StandardCharsets.UTF_8));
        }
        assertEquals(read(SOUND).samples(), DataSets.open(file).samples());
    }

    private static String broken(String sound, String broken) {
        String text = SOUND.replaceFirst(Pattern.quote(sound), Matcher.quoteReplacement(broken));
        assertTrue(!text.equals(SOUND), "nothing was broken");
        return text;
    }

    /** The image whose objects are then not all known is left out, the others stay. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                    "\"category_id\": 90|\"category_id\": 91|annotations[0].category_id 91 is none of the"
                            + " categories|20",
                    "[1.5, 2, 30, 40]|[1.5, 2, 30]|annotations[0].bbox has 3 numbers, not 4|20",
                    "[1.5, 2, 30, 40]|[]|annotations[0].bbox has 0 numbers, not 4|20",
                    "[1.5, 2, 30, 40]|null|annotations[0].bbox is null, not an array|20",
                    "[1.5, 2, 30, 40]|[1.5, 2, 3, 4, 5]|annotations[0].bbox has 5 numbers, not 4|20",
                    "[1.5, 2, 30, 40]|[1.5, 2, 30, \"x\"]|annotations[0].bbox[3] is the text 'x', not a number|20",
                    "[1.5, 2, 30, 40]|[1.5, null, 30, 4]|annotations[0].bbox[1] is null, not a number|20",
                    "[1.5, 2, 30, 40]|[1.5, [2], 30, 4]|annotations[0].bbox[1] is an object, not a number|20",
                    "[1.5, 2, 30, 40]|[1.5, 2, -30, 40]|annotations[0].bbox has a negative size: -30.0 x 40.0|20",
                    "[1.5, 2, 30, 40]|[1e999, 2, 30, 40]|annotations[0].bbox[0] is too large a number|20",
                    "[1.5, 2, 30, 40]|{}|annotations[0].bbox is an object, not an array|20",
                    "\"area\": 700.5|\"area\": -1|annotations[0].area is -1|20",
                    "\"category_id\": 90|\"category_id\": 1.5|annotations[0].category_id is 1.5, not a whole number|20",
                    "\"category_id\": 90|\"category_id\": null|annotations[0].category_id is null|20",
                    "\"file_name\": \"b.png\"|\"x\": 1|images[0] has no 'file_name'|20",
                    "\"file_name\": \"b.png\"|\"file_name\": null|images[0].file_name is null|20",
                    "\"bbox\": [0, 0, 4, 5]|\"x\": 1|annotations[2] has no 'bbox'|3",
                    "\"id\": 3, \"file_name\": \"sub|\"id\": 20, \"file_name\": \"sub|images[1].id 20 occurs twice|20",
            })
    void whatIsWrongIsNamedAndItsImageLeftOut(String sound, String broken, String message, String leftOut)
            throws IOException {
        DataSet data = read(broken(sound, broken));
        assertTrue(data.problems().stream().anyMatch(problem -> problem.message().endsWith(": " + message)),
                data.problems().toString());
        assertTrue(data.samples().stream().noneMatch(sample -> sample.id().equals(leftOut)), "left out");
        assertEquals(data.census().images() - data.samples().size(), data.census().flawed());
        assertTrue(data.samples().size() >= 1 && data.samples().size() <= 2, data.samples().toString());
        assertEquals(0, read(SOUND).problems().size());
    }

    /** What concerns no object of any image leaves all of them in. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                    "\"image_id\": 3|\"image_id\": 4|annotations[2].image_id 4 is none of the images",
                    "\"id\": 8|\"id\": 7|annotations[1] has the id of another one; both count",
                    "\"image_id\": 3, |\"image_id\": null, |annotations[2].image_id is null",
            })
    void whatConcernsNoImageIsNamed(String sound, String broken, String message) throws IOException {
        DataSet data = read(broken(sound, broken));
        assertEquals(1, data.problems().size());
        assertTrue(data.problems().getFirst().message().endsWith(": " + message), data.problems().toString());
        assertEquals(3, data.samples().size());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                    "\"id\": 3, \"name\"|\"id\": 90, \"name\"|categories[1].id 90 occurs twice",
                    "\"name\": \"cat\"|\"name\": null|categories[1].name is null",
                    "\"images\"|\"photos\"|has no 'images': it is no COCO instances file",
            })
    void whatEveryFigureDependsOnIsAnError(String sound, String broken, String message) throws IOException {
        assertEquals(message, error(broken(sound, broken)));
    }

    @Test
    void nullsAndTextsInPlaceOfNumbersAreRead() throws IOException {
        DataSet data = read(SOUND.replace("\"width\": 64", "\"width\": null")
                .replace("\"iscrowd\": 0", "\"iscrowd\": null")
                .replace("\"area\": 700.5", "\"area\": null").replace("\"category_id\": 90", "\"category_id\": \"90\"")
                .replace("\"image_id\": 20", "\"image_id\": \"20\"").replace("\"id\": 7, ", "\"id\": null, "));
        assertEquals(List.of(), data.problems());
        assertEquals(new GroundTruth(1, 1.5, 2, 30, 40, 1200, false), data.samples().get(1).boxes().getFirst());
        assertEquals(0, data.samples().get(1).width());
    }

    @Test
    void whatIsThereTwiceCountsOnce() throws IOException {
        String image = "{\"id\": 20, \"file_name\": \"b.png\", \"width\": 64, \"height\": 48},";
        String annotation = "{\"id\": 8, \"image_id\": 20, \"category_id\": 3, \"bbox\": [0, 0, 5, 5], \"area\": 25,"
                + " \"iscrowd\": 1},";
        DataSet data = read(SOUND.replace("\"images\": [", "\"images\": [" + image).replace("\"annotations\": [",
                "\"annotations\": [" + annotation));
        assertEquals(read(SOUND).samples().stream().map(Sample::boxes).map(List::size).toList(),
                data.samples().stream().map(Sample::boxes).map(List::size).toList());
        assertEquals(2, data.problems().size());
        assertTrue(data.problems().stream().allMatch(problem -> problem.kind() == Problem.Kind.DUPLICATE));
    }

    /** Roboflow writes the name of the project as category 0, the parent of the others. */
    @ParameterizedTest
    @CsvSource({"animals, none, animals, true", "cat, none, animals, true", "animals, none, none, false",
            "animals, '', animals, false"})
    void theRootOfRoboflowIsNoCategory(String name, String parent, String parentOfOthers, boolean dropped)
            throws IOException {
        DataSet data = read(SOUND
                .replace("\"categories\": [", "\"categories\": [{\"id\": 0, \"name\": \"" + name
                        + "\", \"supercategory\": \"" + parent + "\"},")
                .replace("\"name\": \"owl\"", "\"name\": \"owl\", \"supercategory\": \"" + parentOfOthers + "\"")
                .replace("\"supercategory\": \"animal\"", "\"supercategory\": \"" + parentOfOthers + "\""));
        assertEquals(dropped ? List.of("cat", "owl") : List.of(name, "cat", "owl"), data.names());
        assertEquals(dropped ? 0 : 1, data.samples().getFirst().boxes().getFirst().classId());
        if (dropped) {
            assertEquals(List.of(1, 0), asList(data.classesOf(List.of("owl", "cat"))));
        }
    }

    @Test
    void namesOfWindowsAndOfOtherMachinesAreFound() throws IOException {
        Path images = Files.createDirectories(folder.resolve("images/some"));
        Images.write(Frame.allocate(64, 48), images.resolve("b.png"));
        for (String name : List.of("images\\\\some\\\\b.png", "C:\\\\data\\\\b.png", "/home/somebody/b.png",
                "../images/b.png")) {
            DataSet data = read(SOUND.replace("b.png", name));
            assertEquals(images.resolve("b.png"), data.samples().get(1).file(), name);
        }
    }

    @Test
    void aByteOrderMarkIsPassedOver() throws IOException {
        assertEquals(3, read("\uFEFF" + SOUND).samples().size());
    }

    @ParameterizedTest
    @CsvSource({"../b.png", "/etc/passwd", "sub/../../b.png", "''", "."})
    void namesThatLeadOutOfTheFolderAreLeftOut(String name) throws IOException {
        DataSet data = read(SOUND.replace("b.png", name));
        assertEquals(List.of("3", "100"), data.samples().stream().map(Sample::id).toList());
        assertEquals(1, data.problems().size(), data.problems().toString());
        String message = data.problems().getFirst().message();
        assertTrue(message.contains("the file_name '" + name + "' of image 20 does not name a file")
                || name.isEmpty() && message.contains("images[0].file_name is the text ''"), message);
    }

    @Test
    void aFileThatIsCutOffAnywhereIsAnError() throws IOException {
        String text = SOUND.strip();
        for (int length = 0; length < text.length(); length += 7) {
            assertTrue(!error(text.substring(0, length)).isEmpty());
        }
        assertTrue(error(text + "{}").contains("has more after its end"));
        assertTrue(error(text + "x").startsWith("no valid JSON at line "));
        assertTrue(error("[]").contains("not an object"));
        assertTrue(error("[".repeat(100_000)).contains("not an object"));
        assertTrue(error("{\"a\":" + "[".repeat(100_000)).contains("no valid JSON"));
    }

    @Test
    void damagedBytesNeverEndInAnythingButOurError() throws IOException {
        byte[] sound = SOUND.getBytes(StandardCharsets.UTF_8);
        long seed = 4711;
        Random random = new Random(seed);
        Path file = folder.resolve("damaged.json");
        for (int round = 0; round < 500; round++) {
            byte[] bytes = sound.clone();
            for (int k = 0; k <= random.nextInt(3); k++) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            Files.write(file, bytes);
            try {
                assertTrue(DataSets.open(file).samples().size() <= 3);
            } catch (DataSetException e) {
                assertTrue(e.getMessage().startsWith(file + ": "), "seed " + seed + ": " + e.getMessage());
            }
        }
    }

    @Test
    void missingImagesAndImagesOfAnotherSizeAreToldByTheFileAndTheWayOut() throws IOException {
        DataSet data = read(SOUND);
        Files.createDirectories(folder.resolve("sub"));
        Images.write(Frame.allocate(64, 48), folder.resolve("sub/a.png"));
        DataSet present = data.requireImages();
        assertEquals(List.of("3"), present.samples().stream().map(Sample::id).toList());
        assertEquals(2, present.problems().size());
        assertEquals(folder.resolve("b.png") + ": the image is missing", present.problems().getFirst().message());
        assertEquals("3 images, 1 labelled, 0 without objects, 0 without a label file, 2 left out, 0 of other kinds",
                present.census().toString());
        Files.delete(folder.resolve("sub/a.png"));
        String missing = assertThrows(DataSetException.class, data::requireImages).getMessage();
        assertTrue(missing.contains("3 of 3 images are missing, the first is " + folder.resolve("sub/a.png")),
                missing);
        assertTrue(missing.contains("--images"), missing);
        Images.write(Frame.allocate(64, 48), folder.resolve("sub/a.png"));
        Images.write(Frame.allocate(48, 64), folder.resolve("b.png"));
        String size = assertThrows(ShrikeException.class, () -> data.samples().get(1).read()).getMessage();
        assertTrue(size.contains("48x64 pixels, the data set says 64x48"), size);
        assertEquals(64, data.samples().getFirst().read().width());
    }

    @Test
    void imagesAreFoundWhereTheyUsuallyLie() throws IOException {
        Path root = Files.createDirectories(folder.resolve("coco"));
        Path annotations = Files.createDirectories(root.resolve("annotations"));
        Path images = Files.createDirectories(root.resolve("some"));
        Path file = Files.writeString(annotations.resolve("instances_some.json"), SOUND);
        Images.write(Frame.allocate(64, 48), images.resolve("c.png"));
        assertEquals(images.resolve("b.png"), DataSets.open(file).samples().get(1).file());
        assertEquals(images.resolve("b.png"), DataSets.open(root).samples().get(1).file());
        assertEquals(images.resolve("b.png"), DataSets.open(images).samples().get(1).file());
        assertEquals(
                root.resolve("annotations/b.png"), DataSets.open(file, annotations, "val").samples().get(1).file());
        Files.copy(file, annotations.resolve("instances_more.json"));
        assertTrue(assertThrows(DataSetException.class, () -> DataSets.open(root)).getMessage()
                .contains("several descriptions, instances_more.json and instances_some.json"));
        assertEquals(images.resolve("b.png"), DataSets.open(images).samples().get(1).file());
        Path nothing = Files.createDirectories(folder.resolve("nothing"));
        for (Path none : List.of(nothing, folder.resolve("absent"), folder.resolve("absent.json"))) {
            String message = assertThrows(DataSetException.class, () -> DataSets.open(none)).getMessage();
            assertTrue(message.startsWith(none + ": "), message);
        }
        assertThrows(DataSetException.class, () -> DataSets.open(file, folder.resolve("absent"), "val"));
    }

    @Test
    void classesOfAModelAreMatchedByName() throws IOException {
        DataSet data = read(SOUND);
        assertEquals(List.of(1, -1, 0), asList(data.classesOf(List.of("owl", "dog", "cat"))));
        assertEquals(List.of(0, -1, 1), asList(data.classesOf(List.of("cat", "cat", "owl"))));
        assertEquals(List.of(1, 0), asList(data.classesOf(List.of(" Owl", "C_AT"))));
        assertEquals(List.of(-1, 0, 1), asList(data.classesOf(List.of("CAT", "cat", "owl"))));
        // A model whose file has no names.
        assertEquals(List.of(0, 1), asList(data.classesOf(List.of("class0", "class1"))));
        String message = assertThrows(DataSetException.class, () -> data.classesOf(List.of("cat"))).getMessage();
        assertTrue(message.contains("the class 'owl' is not among those of the model: give them the names")
                && message.endsWith("Data set: cat, owl. Model: cat"), message);
        // Which of the two is it?
        assertThrows(DataSetException.class, () -> data.classesOf(List.of("CAT", "Cat", "owl")));
    }

    @Test
    void byOrderOnlyWhereItIsSaid() throws IOException {
        DataSet data = read(SOUND);
        String message =
                assertThrows(DataSetException.class, () -> data.classesOf(List.of("cat", "eagle"))).getMessage();
        assertTrue(
                message.contains("'owl' is not among those of the model; if they are the same in the same order under"
                        + " other names, say --classes-by-order. Data set: cat, owl. Model: cat, eagle"),
                message);
        assertEquals(List.of(0, 1), asList(data.classesOf(List.of("cat", "eagle"), true)));
        String other =
                assertThrows(DataSetException.class, () -> data.classesOf(List.of("eagle", "cat"))).getMessage();
        assertTrue(other.contains("the order differs as well ('cat' is class 0 of the data set and 1 of the model)"),
                other);
        String count = assertThrows(DataSetException.class, () -> data.classesOf(List.of("a"), true)).getMessage();
        assertTrue(count.contains("has 2 classes, the model has 1, so they cannot be matched by order"), count);
    }

    private static List<Integer> asList(int[] values) {
        return Arrays.stream(values).boxed().toList();
    }
}
