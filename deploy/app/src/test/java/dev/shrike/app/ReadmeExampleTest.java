package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Java example of the README, compiled and run as it stands there. */
class ReadmeExampleTest {
    @TempDir
    private Path folder;

    private static String example() throws IOException {
        String readme = Files.readString(Repository.root().resolve("README.md"));
        Matcher block = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(readme);
        assertTrue(block.find(), "README.md has no Java example");
        return block.group(1);
    }

    @Test
    void itFindsWhatIsInTheImage() throws Exception {
        String source = example();
        assertTrue(source.lines().count() <= 16, "the example is to stay short");
        Matcher name = Pattern.compile("class (\\w+)").matcher(source);
        assertTrue(name.find());
        Path file = Files.writeString(folder.resolve(name.group(1) + ".java"), source);
        ByteArrayOutputStream messages = new ByteArrayOutputStream();
        int result = ToolProvider.getSystemJavaCompiler()
                .run(null, messages, messages, "-Xlint:all,-path", "-cp", System.getProperty("java.class.path"), "-d",
                        folder.toString(), file.toString());
        assertEquals("", messages.toString());
        assertEquals(0, result);

        String model = ToyModel.write(folder.resolve("toy.onnx")).toString();
        String image = ToyModel.image(folder.resolve("block.png"), 1, 2).toString();
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream before = System.out;
        try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
            System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
            loader.loadClass(name.group(1))
                    .getMethod("main", String[].class)
                    .invoke(null, (Object) new String[] {model, image});
        } finally {
            System.setOut(before);
        }
        assertEquals(
                List.of("red block 1.00 at 8,16 to 16,24"),
                printed.toString(StandardCharsets.UTF_8).lines().toList());
    }
}
