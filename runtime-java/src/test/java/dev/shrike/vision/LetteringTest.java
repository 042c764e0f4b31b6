package dev.shrike.vision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.Frame;
import dev.shrike.StageTimes;
import java.awt.Font;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LetteringTest {
    @BeforeEach
    void forgetWhatWasMissing() {
        Lettering.missing();
    }

    private static Frame drawn(String label, DrawingStyle style) {
        Frame frame = Frame.allocate(400, 120);
        Detection found = new Detection(0, label, 0.91f, 20, 60, 200, 110);
        Images.draw(frame, new Detections(400, 120, Instant.EPOCH, new StageTimes(0, 0, 0), List.of(found)), style);
        return frame;
    }

    private static Frame drawn(String label) {
        return drawn(label, DrawingStyle.DEFAULT);
    }

    private static boolean same(Frame a, Frame b) {
        return a.pixels().mismatch(b.pixels()) < 0;
    }

    private static boolean haveFontFor(String text) {
        try {
            return new Font(Font.SANS_SERIF, Font.PLAIN, 12).canDisplayUpTo(text) < 0;
        } catch (Error | RuntimeException e) {
            return false;
        }
    }

    @Test
    void aScriptThatAFontHasIsDrawnInItsLetters() {
        assumeTrue(haveFontFor("пешеходы سيارة"), "no font here has Cyrillic and Arabic letters");
        Frame cyrillic = drawn("пешеход");
        assertTrue(!same(cyrillic, drawn("???????")) && !same(cyrillic, drawn("пешеходы")));
        assertTrue(!same(cyrillic, drawn("\\u043f\\u0435\\u0448\\u0435\\u0445\\u043e\\u0434")));
        Frame arabic = drawn("سيارة");
        assertTrue(!same(arabic, drawn("?????")));
        // Letters join: the word is narrower than its letters one by one.
        int word = Canvas.textWidth("سيارة", 1, 1);
        int letters = "سيارة".codePoints().map(c -> Canvas.textWidth(Character.toString(c), 1, 1)).sum();
        assertTrue(word < letters, word + " of " + letters);
        assertEquals(List.of(), Lettering.missing());
    }

    @Test
    void lettersThatNoFontHasAreDrawnAsCodePointsAndThePackageIsNamedOnce() {
        // A private use character has no glyph in fonts for text.
        String label = "\ue123";
        assumeTrue(!haveFontFor(label), "a font here has private characters");
        Frame frame = drawn(label);
        assertTrue(!same(frame, drawn("?")) && !same(frame, drawn("\ue124")));
        // The letters that there are stay letters.
        assertTrue(Canvas.textWidth("ж" + label, 1, 1) > Canvas.textWidth("ж", 1, 1) + Canvas.textWidth("ue12", 1, 1));
        Lettering.missing();
        drawn(label);
        drawn(label);
        List<String> missing = Lettering.missing();
        assertEquals(1, missing.size(), missing.toString());
        assertTrue(missing.getFirst().contains("install fonts-"), missing.toString());
        assertEquals(List.of(), Lettering.missing());
    }

    @Test
    void chineseIsDrawnOrThePackageForItIsNamed() {
        Frame frame = drawn("行人");
        assertTrue(!same(frame, drawn("??")));
        List<String> missing = Lettering.missing();
        if (missing.isEmpty()) {
            assertTrue(!same(frame, drawn("\\u884c\\u4eba")));
        } else {
            assertTrue(missing.getFirst().matches(".*install (fonts-noto-cjk|fontconfig .*)"), missing.toString());
            assertTrue(Canvas.textWidth("行人", 1, 1) > Canvas.textWidth("884c4eba", 1, 1));
        }
    }

    @Test
    void asciiAndControlCharactersNeedNoFont() {
        assertTrue(same(drawn("a\u001b[31mb\n"), drawn("a\\u001b[31mb\\n")));
        assertTrue(!same(drawn("a"), drawn("b")));
        assertEquals(List.of(), Lettering.missing());
    }

    @Test
    void aStyleLeavesOutScoreLabelOrThickness() {
        Frame bare = drawn("cat", new DrawingStyle(0, false, true));
        assertTrue(same(bare, drawn("dog", new DrawingStyle(0, false, false))));
        Frame unscored = drawn("cat", new DrawingStyle(0, true, false));
        assertTrue(!same(bare, unscored) && !same(unscored, drawn("cat")));
        assertTrue(!same(bare, drawn("cat", new DrawingStyle(9, false, true))));
        assertTrue(same(drawn("cat", new DrawingStyle(2, true, true)), drawn("cat")));
    }

    @Test
    void textIsCutOffAtTheEdges() {
        Frame small = Frame.allocate(9, 9);
        Detection found = new Detection(0, "пешеход سيارة", 0.5f, 3, 3, 8, 8);
        Images.draw(small, new Detections(9, 9, Instant.EPOCH, new StageTimes(0, 0, 0), List.of(found)));
        try (Canvas canvas = new Canvas(small)) {
            for (int at = -40; at < 40; at += 7) {
                canvas.text("жуk", at, at, 1, 0xffffff, 1);
                canvas.textUpwards("жуk", at, at, 1, 0xffffff, 1, 0);
            }
        }
    }
}
