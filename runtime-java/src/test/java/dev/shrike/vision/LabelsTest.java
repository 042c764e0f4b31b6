package dev.shrike.vision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LabelsTest {
    @ParameterizedTest
    @ValueSource(strings = {
            "['a', 'b c']",
            "[\"a\",\"b c\"]",
            " [ u'a' , 'b c' , ] ",
            "('a', 'b c')",
            "{0: 'a', 1: 'b c'}",
            "{1: 'b c', 0: 'a',}",
            "{\"0\": \"a\", \"1\": \"b c\"}",
            "{'0':'\\x61','1':'b\\u0020c'}",
            "[a, b c]"})
    void readsPythonAndJson(String names) {
        assertEquals(List.of("a", "b c"), Labels.of(Map.of("names", names), 2));
    }

    @Test
    void readsQuotesAndEscapes() {
        String names = "{0: \"driver's\", 1: 'say \\'hi\\'', 2: 'a\\\\b', 3: '{x: [1, 2]}', 4: 'Stra\u00dfe', 5: '7'}";
        assertEquals(List.of("driver's", "say 'hi'", "a\\b", "{x: [1, 2]}", "Stra\u00dfe", "7"),
                Labels.of(Map.of("names", names), 6));
    }

    @Test
    void fallsBackToCocoOrNumbers() {
        List<String> coco = Labels.of(Map.of(), 80);
        assertEquals(80, coco.size());
        assertEquals("person", coco.get(0));
        assertEquals("bus", coco.get(5));
        assertEquals("tie", coco.get(27));
        assertEquals("toothbrush", coco.get(79));
        assertEquals(80, coco.stream().distinct().count());
        assertEquals(List.of("class0", "class1"), Labels.of(Map.of("names", " "), 2));
        assertEquals(List.of("class0", "cat"), Labels.of(Map.of("names", "{1: 'cat'}"), 2));
    }

    @Test
    void refusesAnotherNumberOfClasses() {
        var error = assertThrows(UnsupportedModelException.class, () -> Labels.of(Map.of("names", "['a']"), 3));
        assertTrue(error.getMessage().contains("names 1 classes") && error.getMessage().contains("has 3"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"person", "[", "['a'", "['a' 'b']", "['a'] x", "{'a': 1}", "{0 'a'}", "{0: 'a', 0: 'b'}",
            "{-1: 'a'}", "{99999999999: 'a'}", "{100000: 'a'}", "['\\u12']", "['\\Uffffffff']", "['a\\", "[[]]", "[,]",
            "{0: }"})
    void refusesWhatIsNoList(String names) {
        var error = assertThrows(ModelException.class, () -> Labels.of(Map.of("names", names), 2));
        assertTrue(error.getMessage().startsWith("metadata 'names' is no list of names: expected "),
                error.getMessage());
    }

    @Test
    void noTextBreaksTheParser() {
        long seed = 5;
        Random random = new Random(seed);
        String alphabet = "[]{}(),:'\"\\ux0 a1";
        for (int round = 0; round < 50_000; round++) {
            StringBuilder text = new StringBuilder(random.nextBoolean() ? "{0:" : "[");
            for (int i = random.nextInt(12); i >= 0; i--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            try {
                Labels.of(Map.of("names", text.toString()), 2);
            } catch (ModelException | UnsupportedModelException e) {
                // an error that says so is what bad text gets
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + ", text " + text, e);
            }
        }
    }

    @Test
    void readsTheStride() {
        assertEquals(32, Labels.stride(Map.of()));
        assertEquals(64, Labels.stride(Map.of("stride", "64")));
        assertEquals(32, Labels.stride(Map.of("stride", "32.0")));
        assertEquals(64, Labels.stride(Map.of("stride", "[8, 16, 32, 64]")));
        assertEquals(16, Labels.stride(Map.of("stride", "tensor([ 8., 16.])")));
        assertEquals(32, Labels.stride(Map.of("stride", "(8, 16.0, 32)")));
        for (String bad : List.of("x", "0", "-64", "NaN", "1e9", "", "None", "[]", "v64", "2048")) {
            assertEquals(32, Labels.stride(Map.of("stride", bad)), bad);
        }
    }

    @Test
    void takesPythonsNothingForNoNames() {
        for (String none : List.of("None", " none ", "null", "", "NaN")) {
            assertEquals(List.of("class0", "class1"), Labels.of(Map.of("names", none), 2), none);
        }
    }
}
