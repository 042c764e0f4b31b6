package dev.shrike.packaging;

import dev.shrike.app.Main;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;
import picocli.AutoComplete;
import picocli.CommandLine;

/** Writes what a package holds about the command: manual pages, completion for bash and zsh, Debian's changelog. */
public final class CommandFiles {
    private static final String MAN = "usr/share/man/man" + ManPage.SECTION;
    private static final String BASH = "usr/share/bash-completion/completions";
    private static final String ZSH = "usr/share/zsh/vendor-completions";

    private CommandFiles() {}

    /** Arguments: the folder that stands for the root of the box, a date as in 2026-01-01, the version. */
    public static void main(String[] args) throws IOException {
        if (args.length != 3) {
            throw new IllegalArgumentException("wanted: FOLDER DATE VERSION");
        }
        write(Path.of(args[0]), args[1], args[2]);
    }

    static void write(Path root, String date, String version) throws IOException {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
        CommandLine command = Main.commandLine(nowhere, nowhere);
        Path man = Files.createDirectories(root.resolve(MAN));
        for (ManPage page : ManPage.all(command, date, version)) {
            Files.write(man.resolve(page.name() + "." + ManPage.SECTION + ".gz"), compressed(page.text()));
        }
        Path bash = Files.createDirectories(root.resolve(BASH));
        Files.writeString(bash.resolve("shrike"), bashCompletion(command));
        Path doc = Files.createDirectories(root.resolve("usr/share/doc/shrike"));
        Files.write(doc.resolve("changelog.gz"), compressed(changelog(date, version)));
        Path zsh = Files.createDirectories(root.resolve(ZSH));
        Files.write(zsh.resolve("_shrike"), ZSH_COMPLETION);
    }

    /** The completion that picocli makes, without the day it was made on: two builds give the same file. */
    static String bashCompletion(CommandLine command) {
        return AutoComplete.bash("shrike", command).lines()
                .skip(1) // #!, and nobody runs it
                .filter(line -> !line.startsWith("# Date:"))
                .map(String::stripTrailing)
                .collect(Collectors.joining("\n", "", "\n"));
    }

    /** Debian's form; what changed for users stands in our own list, which this one names. */
    static String changelog(String date, String version) {
        String day = LocalDate.parse(date).atStartOfDay(ZoneOffset.UTC).format(DateTimeFormatter.RFC_1123_DATE_TIME);
        return """
                shrike (%s) unstable; urgency=medium

                  * Version %s; CHANGELOG.md of the sources tells what is new.

                 -- The Shrike authors <shrike@users.noreply.github.com>  %s
                """.formatted(version.replace("-SNAPSHOT", "~snapshot"), version,
                day.replaceFirst("^(\\w+, )(\\d )", "$10$2").replace("GMT", "+0000"));
    }

    // Zsh reads the one of bash; its first line makes zsh load it for our command.
    private static final List<String> ZSH_COMPLETION = List.of(
            "#compdef shrike",
            "autoload -Uz bashcompinit && bashcompinit",
            "source /usr/share/bash-completion/completions/shrike",
            "_bash_complete -o default -F _complete_shrike");

    /** The header of gzip holds no time: Java writes 0 there. */
    private static byte[] compressed(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bytes) {
            {
                def.setLevel(9);
            }
        }) {
            gzip.write(text.getBytes(StandardCharsets.UTF_8));
        }
        byte[] file = bytes.toByteArray();
        // Java does not say there how much it tried, which lintian looks for (RFC 1952, XFL).
        file[8] = 2;
        return file;
    }
}
