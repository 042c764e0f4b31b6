package dev.shrike.app.detect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.SourceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class SourcesTest {
    @TempDir
    private Path folder;

    @BeforeEach
    void fill() throws IOException {
        for (String name : List.of("b.jpg", "a.PNG", "c.webp", "notes.md", "in/d.jpg", "in/deep/e.bmp", "[x].jpg",
                "._b.jpg", ".hidden.png")) {
            Path file = folder.resolve(name);
            Files.createDirectories(file.getParent());
            Files.writeString(file, "x");
        }
        Files.createDirectories(folder.resolve("empty"));
        Files.createDirectories(folder.resolve("trap.jpg"));
    }

    private List<String> names(String... sources) {
        Sources found = Sources.expand(List.of(sources));
        assertEquals(List.of(), found.problems());
        return found.images().stream().map(p -> folder.relativize(p).toString()).toList();
    }

    private String problem(String source) {
        Sources found = Sources.expand(List.of(source));
        assertEquals(List.of(), found.images());
        assertEquals(1, found.problems().size());
        return found.problems().getFirst();
    }

    @Test
    void aFolderStandsForTheImagesDirectlyInItByName() {
        assertEquals(List.of("[x].jpg", "a.PNG", "b.jpg", "c.webp"), names(folder.toString()));
    }

    @Test
    void aFileStandsForItselfWhateverItsName() {
        assertEquals(List.of("notes.md", "[x].jpg"), names(folder + "/notes.md", folder + "/[x].jpg"));
    }

    @Test
    void globsMatchImagesOnly() {
        assertEquals(List.of("[x].jpg", "b.jpg"), names(folder + "/*.jpg"));
        assertEquals(List.of("[x].jpg", "a.PNG", "b.jpg", "c.webp"), names(folder + "/*"));
        assertEquals(List.of("a.PNG", "b.jpg"), names(folder + "/[ab].*"));
        assertEquals(List.of("a.PNG", "c.webp"), names(folder + "/{a,c}.{PNG,webp}"));
        assertEquals(List.of("in/d.jpg"), names(folder + "/*/*.jpg"));
        assertEquals(List.of("in/d.jpg", "in/deep/e.bmp"), names(folder + "/in/**"));
        assertEquals(List.of("b.jpg"), names(folder + "/?.jpg"));
    }

    @Test
    void twoStarsStandForNoFolderAsWell() {
        assertEquals(List.of("[x].jpg", "b.jpg", "in/d.jpg"), names(folder + "/**/*.jpg"));
        assertEquals(List.of("in/deep/e.bmp"), names(folder + "/**/deep/**/*.bmp"));
        assertEquals(List.of("in/d.jpg"), names(folder + "/**/in/*.jpg"));
        assertEquals(List.of("in/d.jpg"), names(folder + "/in/**/d.jpg"));
    }

    @Test
    void listsStandForTheirLines() throws IOException {
        Path list = Files.writeString(folder.resolve("list.txt"),
                "\ufeff" + folder + "/c.webp\r\n\r\nb.jpg\r\n  in/d.jpg  \nin\n*.jpg\n");
        assertEquals(List.of("c.webp", "b.jpg", "in/d.jpg", "in/d.jpg", "[x].jpg", "b.jpg"), names(list.toString()));
        Files.writeString(list, "b.jpg\nnone.jpg\nrtsp://x/1\n");
        Sources found = Sources.expand(List.of(list.toString()));
        assertEquals(List.of(folder.resolve("b.jpg")), found.images());
        assertEquals(List.of("none.jpg: no such file or folder"), found.problems());
        assertEquals(List.of("rtsp://x/1"), found.moving());
        Files.writeString(list, "\n \n");
        assertTrue(problem(list.toString()).endsWith("list.txt: lists no images; it should have one path a line"));
        Files.write(list, new byte[] {(byte) 0xff, (byte) 0xd8, (byte) 0xff});
        assertTrue(problem(list.toString()).contains("no list of images in UTF-8"));
    }

    @Test
    void theStandardInputIsOneImage() {
        Sources found = Sources.expand(List.of("-", "-"));
        assertEquals(List.of(StandardInput.PATH), found.images());
        assertEquals(List.of("-: the standard input has one image only"), found.problems());
        assertTrue(assertThrows(SourceException.class, () -> Sources.files(List.of("-"))).getMessage()
                .contains("'shrike detect'"));
    }

    @Test
    void videosCamerasAndStreamsMove() throws IOException {
        Files.writeString(folder.resolve("a b.MP4"), "x");
        List<String> given = List.of("rtsp://user:p@ss@camera/1?a=b", folder + "/a b.MP4", "0", "/dev/video3",
                "v4l2:by-id/usb-Cam-index0", "csi://0", "http://camera/video.cgi", "test://pattern");
        Sources found = Sources.expand(given);
        assertEquals(List.of(), found.problems());
        assertEquals(List.of(), found.images());
        assertEquals(given, found.moving());
        SourceException e = assertThrows(SourceException.class, () -> Sources.files(given));
        assertTrue(e.getMessage().startsWith("rtsp://camera/1?a=b: moves"), e.getMessage());
    }

    @Test
    void foldersAndGlobsHaveVideosToo() throws IOException {
        Path mixed = Files.createDirectory(folder.resolve("mixed"));
        for (String name : List.of("b.mp4", "a.jpg", "c.txt", "._d.mp4")) {
            Files.writeString(mixed.resolve(name), "x");
        }
        for (String source : List.of(mixed.toString(), mixed + "/*")) {
            Sources found = Sources.expand(List.of(source));
            assertEquals(List.of(mixed.resolve("a.jpg")), found.images());
            assertEquals(List.of(mixed + "/b.mp4"), found.moving());
        }
    }

    @Test
    void whatIsNotReadSaysWhatToDo() throws IOException {
        assertTrue(problem("https://me:secret@a.b/c.jpg").endsWith("curl -sL https://a.b/c.jpg | shrike detect -"));
        assertTrue(problem("screen").contains("screenshot"));
        Files.writeString(folder.resolve("list.streams"), "x");
        assertTrue(problem(folder + "/list.streams").contains("lists of streams are not read"));
    }

    @Test
    void theOrderOfTheSourcesStays() {
        assertEquals(List.of("c.webp", "b.jpg", "c.webp"),
                names(folder + "/c.webp", folder + "/b.jpg", folder + "/c.webp"));
    }

    @Test
    void problemsNameTheSource() {
        assertTrue(problem(folder + "/none.jpg").endsWith("none.jpg: no such file or folder"));
        assertTrue(problem(folder + "/empty").contains("/empty: no images"));
        assertTrue(problem(folder + "/*.gif").contains("/*.gif: no images"));
        assertTrue(problem(folder + "/nowhere/*.jpg").contains("no images"));
        assertTrue(problem(folder + "/[a").contains("/[a: neither a file nor a glob"));
        assertTrue(problem(" ").contains("empty"));
        assertTrue(problem("a\0b").contains("no path"));
    }

    @Test
    void aProblemLeavesTheOtherSourcesAlone() {
        Sources found = Sources.expand(List.of(folder + "/none.jpg", folder + "/b.jpg"));
        assertEquals(List.of(folder.resolve("b.jpg")), found.images());
        assertEquals(1, found.problems().size());
    }

    @Test
    void globsWithoutAFolderLookInTheWorkingDirectory() {
        assertTrue(Sources.expand(List.of("*.nosuchimage")).problems().getFirst().contains("no images"));
    }

    @Test
    void namesFallApartAtTheLastDot() {
        assertEquals("jpg", Sources.Names.extension(Path.of("a/b.c.JPG")));
        assertEquals("b.c", Sources.Names.stem(Path.of("a/b.c.JPG")));
        assertEquals("", Sources.Names.extension(Path.of(".jpg")));
        assertEquals(".jpg", Sources.Names.stem(Path.of(".jpg")));
    }
}
