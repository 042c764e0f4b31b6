package dev.shrike.packaging;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * The manual page of one command, made from what picocli knows of it, so that page and {@code --help} cannot differ.
 *
 * @param name of the file without its section, such as {@code shrike-detect}
 * @param text in man(7)
 */
record ManPage(String name, String text) {
    static final int SECTION = 1;

    /** The pages of the command and of all below it that it shows, the command's first. */
    static List<ManPage> all(CommandLine command, String date, String version) {
        List<ManPage> pages = new ArrayList<>();
        pages.add(of(command, date, version));
        for (CommandLine below : shown(command)) {
            // 'shrike help' is no command of its own, only another way to ask.
            if (!(below.getCommand() instanceof CommandLine.HelpCommand)) {
                pages.addAll(all(below, date, version));
            }
        }
        return List.copyOf(pages);
    }

    static ManPage of(CommandLine command, String date, String version) {
        CommandSpec spec = command.getCommandSpec();
        String name = spec.qualifiedName("-");
        Roff roff = new Roff().header(name.toUpperCase(Locale.ROOT), SECTION, date, version);
        roff.section("NAME").line(name + " - " + summary(spec));
        synopsis(command, roff);
        roff.section("DESCRIPTION");
        lines(spec.usageMessage().description()).forEach(roff::line);
        parameters(spec, roff);
        options(spec, roff, false, "OPTIONS");
        options(spec, roff, true, "OPTIONS THAT FEW NEED");
        commands(command, roff);
        footer(spec, roff);
        seeAlso(command, roff);
        return new ManPage(name, roff.toString());
    }

    private static String summary(CommandSpec spec) {
        String[] header = spec.usageMessage().header();
        List<String> lines = lines(header.length > 0 ? header : spec.usageMessage().description());
        String text = lines.isEmpty() ? spec.qualifiedName(" ") : lines.getFirst();
        int end = text.indexOf(". ");
        String sentence = end < 0 ? text : text.substring(0, end);
        return sentence.endsWith(".") ? sentence.substring(0, sentence.length() - 1) : sentence;
    }

    private static void synopsis(CommandLine command, Roff roff) {
        roff.section("SYNOPSIS");
        Help help = new Help(command.getCommandSpec(), Help.defaultColorScheme(Ansi.OFF));
        roff.verbatim(help.synopsis(0).lines().toList());
    }

    private static void parameters(CommandSpec spec, Roff roff) {
        List<PositionalParamSpec> shown =
                spec.positionalParameters().stream().filter(p -> !p.hidden()).toList();
        if (shown.isEmpty()) {
            return;
        }
        roff.section("ARGUMENTS");
        for (PositionalParamSpec parameter : shown) {
            roff.term(plain(parameter.paramLabel()));
            lines(parameter.description()).forEach(roff::line);
        }
    }

    private static void options(CommandSpec spec, Roff roff, boolean hidden, String title) {
        List<OptionSpec> shown = spec.options().stream()
                .filter(option -> option.hidden() == hidden)
                .sorted(Comparator.comparing(option -> option.longestName().replaceFirst("^-+", "")))
                .toList();
        if (shown.isEmpty()) {
            return;
        }
        roff.section(title);
        for (OptionSpec option : shown) {
            roff.term(names(option));
            lines(option.description()).forEach(roff::line);
        }
    }

    private static String names(OptionSpec option) {
        String names = String.join(", ", Arrays.stream(option.names())
                .sorted(Comparator.comparingInt(String::length)).toList());
        if (option.arity().max() == 0) {
            return names;
        }
        return names + (option.arity().min() == 0 ? "[=" + plain(option.paramLabel()) + "]"
                : "=" + plain(option.paramLabel()));
    }

    private static void commands(CommandLine command, Roff roff) {
        List<CommandLine> below = shown(command);
        if (below.isEmpty()) {
            return;
        }
        roff.section("COMMANDS");
        for (CommandLine sub : below) {
            CommandSpec spec = sub.getCommandSpec();
            roff.term(spec.name()).line(summary(spec) + ".");
        }
    }

    private static void footer(CommandSpec spec, Roff roff) {
        roff.section("EXIT STATUS");
        Map<String, String> exits = Map.of("0", "success", "1", "failure", "2", "wrong usage");
        exits.keySet().stream().sorted().forEach(code -> roff.term(code).line(exits.get(code)));
        List<String> lines = lines(spec.usageMessage().footer());
        if (!lines.isEmpty()) {
            roff.section("NOTES");
            lines.forEach(line -> {
                roff.line(line);
                roff.paragraph();
            });
        }
    }

    private static void seeAlso(CommandLine command, Roff roff) {
        List<String> others = new ArrayList<>();
        if (command.getParent() != null) {
            others.add(command.getParent().getCommandSpec().qualifiedName("-"));
        }
        for (CommandLine below : shown(command)) {
            if (!(below.getCommand() instanceof CommandLine.HelpCommand)) {
                others.add(below.getCommandSpec().qualifiedName("-"));
            }
        }
        if (others.isEmpty()) {
            return;
        }
        roff.section("SEE ALSO");
        for (int i = 0; i < others.size(); i++) {
            roff.reference(others.get(i), SECTION, i == others.size() - 1);
        }
    }

    private static List<CommandLine> shown(CommandLine command) {
        return command.getSubcommands().values().stream().distinct()
                .filter(below -> !below.getCommandSpec().usageMessage().hidden()).toList();
    }

    /** Lines as {@code --help} prints them: picocli's markup rendered, {@code %n} and {@code %%} resolved. */
    private static List<String> lines(String[] texts) {
        List<String> lines = new ArrayList<>();
        for (String text : texts) {
            plain(text).lines().forEach(lines::add);
        }
        return lines;
    }

    private static String plain(String text) {
        // Not by String.format: picocli gives some texts with their percent signs resolved already.
        return Ansi.OFF.string(text.replace("%n", "\n").replace("%%", "%"));
    }
}
