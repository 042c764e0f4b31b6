package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Commands that messages advise exist, with the options that they name. */
class AdviceTest {
    private static final Pattern ADVICE = Pattern.compile("'shrike ([a-z]+)([^'\"]*)'");
    private static final Pattern OPTION = Pattern.compile("(?<=\\s)(--?[a-z][a-z-]*)");

    @Test
    void advisedCommandsAndOptionsExist() throws IOException {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
        Console console = new Console(nowhere, nowhere, false, false);
        CommandLine shrike = Main.commandLine(console, new Failures(console));
        List<String> wrong = new ArrayList<>();
        int advices = 0;
        for (Path source : sources()) {
            String text = Files.readString(source).replaceAll("\"\\s*\\+\\s*\"", "");
            Matcher advice = ADVICE.matcher(text);
            while (advice.find()) {
                advices++;
                CommandLine command = shrike.getSubcommands().get(advice.group(1));
                if (command == null) {
                    wrong.add(source.getFileName() + ": " + advice.group());
                    continue;
                }
                Matcher option = OPTION.matcher(advice.group(2));
                while (option.find()) {
                    if (command.getCommandSpec().findOption(option.group(1)) == null) {
                        wrong.add(source.getFileName() + ": " + option.group(1) + " in " + advice.group());
                    }
                }
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(advices > 15, advices + " advices found");
    }

    private static List<Path> sources() throws IOException {
        List<Path> all = new ArrayList<>();
        for (String module : List.of("runtime-java", "platforms/cpu", "platforms/jetson", "calibration",
                "deploy/app")) {
            try (Stream<Path> files = Files.walk(Repository.root().resolve(module).resolve("src/main/java"))) {
                files.filter(file -> file.toString().endsWith(".java")).forEach(all::add);
            }
        }
        return all;
    }
}
