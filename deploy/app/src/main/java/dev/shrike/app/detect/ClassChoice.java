package dev.shrike.app.detect;

import dev.shrike.app.Nearest;
import dev.shrike.app.UsageException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.Stack;
import picocli.CommandLine.IParameterConsumer;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/**
 * The classes that are to be reported, by id or name.
 *
 * @param words ids and names as given; empty for all classes
 */
record ClassChoice(List<String> words) {
    private static final int LISTED = 20;

    ClassChoice {
        words = List.copyOf(words);
    }

    /** Whether names are among them, so that the model has to say what they are. */
    boolean hasNames() {
        return words.stream().anyMatch(word -> !isId(word));
    }

    /**
     * Ids of the classes.
     *
     * @param labels names by id; not looked at if there are only ids
     * @throws UsageException if the model has no class of a name; tells the nearest
     */
    Set<Integer> ids(List<String> labels) {
        Set<Integer> ids = new HashSet<>();
        for (String word : words) {
            ids.add(isId(word) ? number(word) : find(word, labels));
        }
        return ids;
    }

    private static int find(String name, List<String> labels) {
        int id = labels.indexOf(name);
        for (int i = 0; id < 0 && i < labels.size(); i++) {
            id = labels.get(i).equalsIgnoreCase(name) ? i : id;
        }
        if (id >= 0) {
            return id;
        }
        String nearest = Nearest.of(name, labels).map(label -> ", did you mean '" + label + "'?").orElse(".");
        throw new UsageException("--classes: the model has no class '" + name + "'" + nearest + " It has "
                + String.join(", ", labels.subList(0, Math.min(LISTED, labels.size())))
                + (labels.size() > LISTED ? " … (" + labels.size() + " in all)" : ""), null);
    }

    private static boolean isId(String word) {
        return word.matches("-?\\d+");
    }

    private static int number(String word) {
        try {
            return Integer.parseInt(word);
        } catch (NumberFormatException e) {
            throw new UsageException(word + " is too large for --classes", e);
        }
    }

    /**
     * Takes ids in both forms that are in use, {@code 0,2} and {@code 0 2}, or names, which are split by commas only:
     * what comes after them is an image. The option may be repeated.
     */
    static final class Consumer implements IParameterConsumer {
        @Override
        public void consumeParameters(Stack<String> args, ArgSpec option, CommandSpec command) {
            List<String> words = new ArrayList<>(option.getValue() == null ? List.of() : option.getValue());
            int before = words.size();
            if (!args.isEmpty() && !isIds(args.peek()) && !args.peek().startsWith("-")) {
                add(args.pop(), words);
            }
            if (words.size() == before) {
                while (!args.isEmpty() && isIds(args.peek())) {
                    add(args.pop(), words);
                }
            }
            if (words.size() == before) {
                throw new ParameterException(
                        command.commandLine(), "--classes needs " + option.paramLabel() + " after it");
            }
            option.setValue(words);
        }

        private static void add(String arg, List<String> words) {
            for (String word : arg.split(",")) {
                if (!word.isBlank()) {
                    words.add(word.strip());
                }
            }
        }

        private static boolean isIds(String arg) {
            return arg.matches("-?\\d+(,-?\\d+)*");
        }
    }
}
