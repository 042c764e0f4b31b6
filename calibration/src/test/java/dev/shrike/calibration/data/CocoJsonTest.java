package dev.shrike.calibration.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.ShrikeException;
import dev.shrike.vision.Pictures;
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
    void categoriesAndPicturesAreInTheOrderOfTheirIds() throws IOException {
        DataSet data = read(SOUND);
        assertEquals(List.of(new Category(3, "cat"), new Category(90, "owl")), data.categories());
        assertEquals(List.of("3", "20", "100"), data.samples().stream().map(Sample::id).toList());
        assertEquals(
                List.of(new TrueBox(1, 1.5, 2, 30, 40, 700.5, false), new TrueBox(0, 0, 0, 5, 5, 25, true)),
                data.samples().get(1).boxes());
        assertEquals(List.of(new TrueBox(0, 0, 0, 4, 5, 20, false)), data.samples().getFirst().boxes());
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

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                    "\"id\": 3, \"file_name\": \"sub|\"id\": 20, \"file_name\": \"sub|images[1].id 20 occurs twice",
                    "\"id\": 8|\"id\": 7|annotations[1].id 7 occurs twice",
                    "\"id\": 3, \"name\"|\"id\": 90, \"name\"|categories[1].id 90 occurs twice",
                    "\"image_id\": 3|\"image_id\": 4|annotations[2].image_id 4 is none of the images",
                    "\"category_id\": 90|\"category_id\": 91|annotations[0].category_id 91 is none of the categories",
                    "[1.5, 2, 30, 40]|[1.5, 2, 30]|annotations[0].bbox has 3 numbers, not 4",
                    "[1.5, 2, 30, 40]|[1.5, 2, 3, 4, 5]|annotations[0].bbox[4] is one number more than the 4 expected",
                    "[1.5, 2, 30, 40]|[1.5, 2, 30, \"x\"]|annotations[0].bbox[3] is the text 'x', not a number",
                    "[1.5, 2, 30, 40]|[1.5, 2, -30, 40]|annotations[0].bbox has a negative size: -30.0 x 40.0",
                    "[1.5, 2, 30, 40]|[1e999, 2, 30, 40]|annotations[0].bbox[0] is too large a number",
                    "[1.5, 2, 30, 40]|{}|annotations[0].bbox is an object, not an array",
                    "\"area\": 700.5|\"area\": -1|annotations[0].area is -1.0",
                    "\"category_id\": 90|\"category_id\": 1.5|annotations[0].category_id is 1.5, not a whole number",
                    "\"file_name\": \"b.png\"|\"x\": 1|images[0] has no 'file_name'",
                    "\"width\": 64|\"width\": -64|images[0] has the size -64x48",
                    "\"bbox\": [0, 0, 4, 5]|\"x\": 1|annotations[2] has no 'bbox'",
                    "\"name\": \"cat\"|\"name\": null|categories[1].name is null, not a text",
                    "\"images\"|\"pictures\"|has no 'images': it is no COCO instances file",
            })
    void whatIsWrongIsNamed(String sound, String broken, String message) throws IOException {
        String text = SOUND.replaceFirst(Pattern.quote(sound),
                Matcher.quoteReplacement(broken));
        assertTrue(!text.equals(SOUND), "nothing was broken");
        assertEquals(message, error(text));
    }

    @ParameterizedTest
    @CsvSource({"../b.png", "/etc/passwd", "sub/../../b.png", "''", "."})
    void namesThatLeadOutOfTheFolderAreRefused(String name) throws IOException {
        String message = error(SOUND.replace("b.png", name));
        assertTrue(message.startsWith("the file_name '" + name + "' of image 20 does not name a file"), message);
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
    void missingPicturesAndPicturesOfAnotherSizeAreToldByTheFileAndTheWayOut() throws IOException {
        DataSet data = read(SOUND);
        Files.createDirectories(folder.resolve("sub"));
        Pictures.write(Frame.allocate(64, 48), folder.resolve("sub/a.png"));
        String missing = assertThrows(DataSetException.class, data::requirePictures).getMessage();
        assertTrue(missing.contains("2 of 3 pictures are missing, the first is " + folder.resolve("b.png")), missing);
        assertTrue(missing.contains("--images"), missing);
        Pictures.write(Frame.allocate(48, 64), folder.resolve("b.png"));
        String size = assertThrows(ShrikeException.class, () -> data.samples().get(1).read()).getMessage();
        assertTrue(size.contains("48x64 pixels, the data set says 64x48"), size);
        assertEquals(64, data.samples().getFirst().read().width());
    }

    @Test
    void picturesAreFoundWhereTheyUsuallyLie() throws IOException {
        Path root = Files.createDirectories(folder.resolve("coco"));
        Path annotations = Files.createDirectories(root.resolve("annotations"));
        Path pictures = Files.createDirectories(root.resolve("some"));
        Path file = Files.writeString(annotations.resolve("instances_some.json"), SOUND);
        Pictures.write(Frame.allocate(64, 48), pictures.resolve("c.png"));
        assertEquals(pictures.resolve("b.png"), DataSets.open(file).samples().get(1).file());
        assertEquals(pictures.resolve("b.png"), DataSets.open(root).samples().get(1).file());
        assertEquals(pictures.resolve("b.png"), DataSets.open(pictures).samples().get(1).file());
        assertEquals(
                root.resolve("annotations/b.png"), DataSets.open(file, annotations, "val").samples().get(1).file());
        Files.copy(file, annotations.resolve("instances_more.json"));
        assertTrue(assertThrows(DataSetException.class, () -> DataSets.open(root)).getMessage()
                .contains("several descriptions, instances_more.json and instances_some.json"));
        assertEquals(pictures.resolve("b.png"), DataSets.open(pictures).samples().get(1).file());
        Path nothing = Files.createDirectories(folder.resolve("nothing"));
        for (Path none : List.of(nothing, folder.resolve("absent"), folder.resolve("absent.json"))) {
            String message = assertThrows(DataSetException.class, () -> DataSets.open(none)).getMessage();
            assertTrue(message.startsWith(none + ": "), message);
        }
        assertThrows(DataSetException.class, () -> DataSets.open(file, folder.resolve("absent"), "val"));
    }

    @Test
    void classesOfAModelAreMatchedByNameElseByOrder() throws IOException {
        DataSet data = read(SOUND);
        assertEquals(List.of(1, -1, 0), asList(data.classesOf(List.of("owl", "dog", "cat"))));
        assertEquals(List.of(0, -1, 1), asList(data.classesOf(List.of("cat", "cat", "owl"))));
        assertEquals(List.of(0, 1), asList(data.classesOf(List.of("class0", "class1"))));
        String message = assertThrows(DataSetException.class, () -> data.classesOf(List.of("cat"))).getMessage();
        assertTrue(message.contains("2 categories, the model has 1 classes and none named 'owl'"), message);
    }

    private static List<Integer> asList(int[] values) {
        return Arrays.stream(values).boxed().toList();
    }
}
