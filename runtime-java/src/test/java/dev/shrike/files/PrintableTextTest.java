package dev.shrike.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PrintableTextTest {
    @Test
    void whatMovesATerminalOrALineIsEscaped() {
        assertEquals("a\\nb\\r\\tc", PrintableText.of("a\nb\r\tc"));
        assertEquals("\\u001b[31mred\\u0007\\u0000\\u007f", PrintableText.of("\u001b[31mred\u0007\0\u007f"));
        assertEquals("\\u009b2J\\u0085", PrintableText.of("\u009b2J\u0085"));
        assertEquals("\\u2028\\u2029", PrintableText.of("\u2028\u2029"));
        for (char hidden : "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\ufeff"
                .toCharArray()) {
            assertEquals(String.format("x\\u%04x", (int) hidden), PrintableText.of("x" + hidden));
        }
        assertEquals("\\udb40\\udc41", PrintableText.of("\udb40\udc41"));
        assertEquals("\\ud800", PrintableText.of("\ud800"));
    }

    @Test
    void everyControlCharacterIsHidden() {
        for (int c = 0; c < 0x20; c++) {
            assertTrue(PrintableText.isHidden(c), "U+" + Integer.toHexString(c));
            assertTrue(PrintableText.isHidden(0x80 + c), "U+" + Integer.toHexString(0x80 + c));
        }
    }

    @Test
    void writingOfAnyScriptStaysAsItIs() {
        for (String text : new String[] {
                "person 0.91", "行人", "пешеход", "سيارة", "می\u200cخواهم", "क्\u200dष", "🚗", "C:\\new", "é e\u0301"
        }) {
            assertSame(text, PrintableText.of(text));
            assertSame(text, PrintableText.inJson(text));
        }
    }

    @Test
    void jsonMeansTheSame() {
        String json = "{\"label\":\"a\u009b\u202e\u007fb\",\"n\":1}";
        assertEquals("{\"label\":\"a\\u009b\\u202e\\u007fb\",\"n\":1}", PrintableText.inJson(json));
    }
}
