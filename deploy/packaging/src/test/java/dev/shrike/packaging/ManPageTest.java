package dev.shrike.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.app.Main;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Tag("any-processor")
class ManPageTest {
    private static final PrintStream NOWHERE = new PrintStream(OutputStream.nullOutputStream());

    @Test
    void eachCommandThatHelpShowsHasAPageAndEachOptionStandsThere() {
        CommandLine shrike = Main.commandLine(NOWHERE, NOWHERE);
        Map<String, String> pages = ManPage.all(shrike, "2026-01-01", "1.2").stream()
                .collect(Collectors.toMap(ManPage::name, ManPage::text));
        TreeSet<String> expected = new TreeSet<>(List.of("shrike"));
        shrike.getSubcommands().forEach((name, sub) -> {
            if (!sub.getCommandSpec().usageMessage().hidden() && !name.equals("help")) {
                expected.add("shrike-" + name);
            }
        });
        assertTrue(pages.keySet().containsAll(expected), pages.keySet() + " lacks some of " + expected);
        for (CommandLine sub : shrike.getSubcommands().values()) {
            String page = pages.get(sub.getCommandSpec().qualifiedName("-"));
            if (page == null) {
                continue;
            }
            sub.getCommandSpec().options().forEach(option -> assertTrue(
                    page.contains("\n\\fB") && page.contains(Roff.escape(option.longestName())),
                    () -> option.longestName() + " is missing"));
        }
    }

    @Test
    void noLineBecomesARequestByAccident() {
        for (ManPage page : ManPage.all(Main.commandLine(NOWHERE, NOWHERE), "2026-01-01", "1.2")) {
            page.text().lines().filter(line -> line.startsWith(".") || line.startsWith("'")).forEach(line -> assertTrue(
                    line.matches("\\.(TH|SH|TP|PP|BR|nh|nf|fi|ad)( .*)?"), () -> page.name() + ": " + line));
            page.text().chars().forEach(c -> assertTrue(c < 128, () -> page.name() + " has the character " + c));
        }
    }

    @Command(name = "tool", description = {"Does a thing. And .more \\o/.%n'quoted' 100%%."})
    private static final class Tool implements Runnable {
        @Option(names = {"-n", "--number"}, paramLabel = "N", description = ".dot ${DEFAULT-VALUE}")
        private int number = 7;

        @Option(names = "--rare", hidden = true, description = "é")
        private boolean rare;

        @Override
        public void run() {
            assertTrue(rare || number > 0);
        }
    }

    @Test
    void writesWhatHelpSays() {
        String page = ManPage.of(new CommandLine(new Tool()), "2026-01-01", "1.2").text();
        assertTrue(page.startsWith(".TH \"TOOL\" \"1\" \"2026\\-01\\-01\" \"Shrike 1.2\" \"Shrike\"\n"), page);
        assertTrue(page.contains(".SH \"NAME\"\ntool \\- Does a thing\n"), page);
        assertTrue(page.contains("\nDoes a thing. And .more \\eo/.\n\\(aqquoted\\(aq 100%.\n"), page);
        assertTrue(page.contains(".TP\n\\fB\\-n, \\-\\-number=N\\fR\n\\&.dot 7\n"), page);
        assertTrue(page.contains(".SH \"OPTIONS THAT FEW NEED\"\n.TP\n\\fB\\-\\-rare\\fR\n\\[u00E9]\n"), page);
        assertFalse(page.contains("COMMANDS"), page);
    }

    @Test
    void escapesWhatManReadsOtherwise() {
        Map<String, String> wanted = Map.of(".so x", "\\&.so x", "'br", "\\(aqbr", "a\\b", "a\\eb", "--x", "\\-\\-x",
                "~`^", "\\(ti\\(ga\\(ha");
        assertEquals(wanted, wanted.keySet().stream().collect(Collectors.toMap(Function.identity(), Roff::escape)));
    }
}
