package dev.shrike.app;

import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;

/**
 * The option {@code --help-all}: {@code --help} shows what most people need, this the other options as well, which
 * their command marks as hidden.
 */
public final class HelpAll {
    private static final String NAME = "--help-all";

    @Option(names = NAME, help = true, description = "Explain all options, also those that few need.")
    private boolean wanted;

    /** Shows the help of the command if its line asks for all of it. */
    static boolean shown(ParseResult line) {
        ParseResult last = line;
        while (last.hasSubcommand()) {
            last = last.subcommand();
        }
        if (!last.hasMatchedOption(NAME)) {
            return false;
        }
        CommandSpec spec = last.commandSpec();
        CommandLine command = spec.commandLine();
        for (OptionSpec option : List.copyOf(spec.options())) {
            if (option.hidden()) {
                spec.remove(option);
                spec.addOption(OptionSpec.builder(option).hidden(false).build());
            }
        }
        command.usage(command.getOut());
        return true;
    }
}
