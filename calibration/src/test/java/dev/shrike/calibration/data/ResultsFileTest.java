package dev.shrike.calibration.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Detection;
import dev.shrike.ShrikeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("any-processor")
class ResultsFileTest {
    private static final DataSet DATA = new DataSet(
            Path.of("set.json"),
            List.of(new Category(1, "a"), new Category(90, "b")),
            List.of(sample("17"), sample("0018"), sample("night")));

    @TempDir
    private Path folder;

    private static Sample sample(String id) {
        return new Sample(id, Path.of(id + ".jpg"), 64, 64, false, List.of());
    }

    @Test
    void whatIsWrittenReadsBackTheSame() throws IOException {
        Random random = new Random(5);
        List<List<Prediction>> found = new ArrayList<>();
        for (int image = 0; image < 3; image++) {
            List<Prediction> boxes = new ArrayList<>();
            for (int i = 0; i < 50 * image; i++) {
                float x = random.nextFloat() * 600;
                float y = random.nextFloat() * 600;
                boxes.add(Prediction.of(
                        new Detection(0, "a", random.nextFloat(), x, y, x + random.nextFloat() * 99, y), i % 2));
            }
            found.add(boxes);
        }
        Path file = folder.resolve("predictions.json");
        ResultsFile.write(file, DATA, found);
        assertEquals(new ResultsFile.Results(found, 0), ResultsFile.read(file, DATA));
        String text = Files.readString(file);
        assertTrue(text.contains("\"image_id\":\"0018\",\"category_id\":90,\"bbox\":["), text.substring(0, 200));
        ResultsFile.write(file, DATA, List.of(List.of(new Prediction(1, 0.5, 100, 2, 3.25, 0)), List.of(), List.of()));
        assertEquals(
                "[{\"image_id\":17,\"category_id\":90,\"bbox\":[100,2,3.25,0],\"score\":0.5}]\n",
                Files.readString(file));
        try (var files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
        assertThrows(ShrikeException.class, () -> ResultsFile.write(folder.resolve("no/x.json"), DATA, found));
    }

    @Test
    void categoriesThatTheDataLacksAreCountedAndLeftOut() throws IOException {
        Path file = Files.writeString(
                folder.resolve("r.json"),
                "[{\"image_id\":17,\"category_id\":2,\"bbox\":[0,0,1,1],\"score\":0.5},"
                        + "{\"score\":0.25,\"bbox\":[0,0,1,1],\"mask\":{\"a\":[]},\"category_id\":1,\"image_id\":17}]");
        ResultsFile.Results results = ResultsFile.read(file, DATA);
        assertEquals(1, results.ignored());
        assertEquals(List.of(List.of(new Prediction(0, 0.25, 0, 0, 1, 1)), List.of(), List.of()), results.found());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                    "{}|the whole is an object, not an array",
                    "[3]|[0] is 3, not an object",
                    "[{}]|[0] has no 'image_id'",
                    "[{\"image_id\":17,\"category_id\":1,\"bbox\":[0,0,1,1]}]|[0] has no 'score'",
                    "[{\"image_id\":16,\"category_id\":1,\"bbox\":[0,0,1,1],\"score\":1}]"
                            + "|[0].image_id 16 is no image of the data set",
                    "[{\"image_id\":1.5}]|[0].image_id is 1.5, not an id",
                    "[{\"bbox\":[0,0,-1,1],\"image_id\":17,\"category_id\":1,\"score\":1}]"
                            + "|[0].bbox has a negative size: -1.0 x 1.0",
                    "[{\"score\":\"NaN\"}]|[0].score is the text 'NaN', not a number",
                    "[{\"score\":NaN}]|no valid JSON at line 1, column",
                    "[{\"image_id\":17|no valid JSON at line 1, column",
            })
    void brokenFilesNameTheField(String text, String message) throws IOException {
        Path file = Files.writeString(folder.resolve("r.json"), text);
        String told = assertThrows(DataSetException.class, () -> ResultsFile.read(file, DATA)).getMessage();
        assertTrue(told.startsWith(file + ": " + message), told);
    }
}
