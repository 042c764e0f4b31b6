package dev.shrike.app.detect;

import java.util.ArrayList;
import java.util.List;
import java.util.Stack;
import picocli.CommandLine.IParameterConsumer;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/**
 * Takes whole numbers after an option in both forms that are in use, {@code 0,2} and {@code 0 2}, and leaves what comes
 * after them (an image) alone.
 */
public final class Numbers implements IParameterConsumer {
    @Override
    public void consumeParameters(Stack<String> args, ArgSpec option, CommandSpec command) {
        List<Integer> numbers = new ArrayList<>();
        if (!args.isEmpty() && !isNumbers(args.peek())) {
            throw new ParameterException(
                    command.commandLine(),
                    "'" + args.peek() + "' is no " + option.paramLabel() + " for " + names(option));
        }
        while (!args.isEmpty() && isNumbers(args.peek())) {
            for (String number : args.pop().split(",")) {
                numbers.add(parse(number, option, command));
            }
        }
        if (numbers.isEmpty()) {
            throw new ParameterException(
                    command.commandLine(), names(option) + " needs " + option.paramLabel() + " after it");
        }
        option.setValue(numbers);
    }

    private static boolean isNumbers(String arg) {
        return arg.matches("-?\\d+(,-?\\d+)*");
    }

    private static int parse(String number, ArgSpec option, CommandSpec command) {
        try {
            return Integer.parseInt(number);
        } catch (NumberFormatException e) {
            throw new ParameterException(command.commandLine(), number + " is too large for " + names(option), e);
        }
    }

    private static String names(ArgSpec option) {
        return ((OptionSpec) option).names()[0];
    }
}
