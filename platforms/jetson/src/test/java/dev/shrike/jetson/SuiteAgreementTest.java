package dev.shrike.jetson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class SuiteAgreementTest {
    private static String line(String source, String... objects) {
        return "{\"source\": \"" + source + "\", \"detections\": [" + String.join(", ", objects) + "]}\n";
    }

    private static String object(int classId, double score, String box) {
        return "{\"class_id\": " + classId + ", \"score\": " + score + ", \"box\": [" + box + "]}";
    }

    @Test
    void countsWhatIsFoundAndWhatIsInvented() throws IOException {
        String first = line("a", object(0, 0.9, "0, 0, 10, 10"), object(1, 0.5, "20, 20, 30, 30"),
                object(0, 0.3, "50, 50, 60, 60"))
                + line("b", object(2, 0.8, "0, 0, 10, 10"), object(2, 0.7, "5, 5, 6, 6"));
        String second = line("a", object(0, 0.26, "1, 0, 10, 10"), object(2, 0.9, "20, 20, 30, 30"))
                + line("b", object(2, 0.8, "0, 0, 10, 10"), object(2, 0.8, "8, 8, 20, 20"));
        SuiteAgreement agreement = SuiteAgreement.of(first, second);
        assertEquals(4, agreement.objects(), "one is not sure");
        assertEquals(2.0 / 4, agreement.found(), 1e-9, "another class, and nothing there");
        assertEquals(2.0 / 3, agreement.invented(), 1e-9);
        assertEquals(new SuiteAgreement(4, 1, 0), SuiteAgreement.of(first, first));
    }

    @Test
    void nothingSeenIsNoAgreement() throws IOException {
        assertEquals(new SuiteAgreement(0, 0, 0), SuiteAgreement.of(line("a"), line("a")));
    }

    @Test
    void otherImagesCannotBeCompared() {
        assertThrows(IllegalArgumentException.class, () -> SuiteAgreement.of(line("a"), line("b")));
    }

    @Test
    void overlapIsIntersectionOverUnion() {
        List<Double> box = List.of(0.0, 0.0, 10.0, 10.0);
        assertEquals(1, SuiteAgreement.overlap(box, box), 1e-9);
        assertEquals(50.0 / 150, SuiteAgreement.overlap(box, List.of(5.0, 0.0, 15.0, 10.0)), 1e-9);
        assertEquals(0, SuiteAgreement.overlap(box, List.of(10.0, 0.0, 15.0, 10.0)));
    }
}
