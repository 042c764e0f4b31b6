package dev.shrike.examples.flink;

import java.util.LinkedHashMap;
import java.util.Map;

/** Arguments of a job, as {@code --name value}. */
record Arguments(Map<String, String> values) {
    static Arguments of(String... args) {
        if (args.length % 2 != 0) {
            throw new IllegalArgumentException("arguments come in pairs: --name value");
        }
        Map<String, String> values = new LinkedHashMap<>();
        for (int i = 0; i < args.length; i += 2) {
            if (!args[i].startsWith("--")) {
                throw new IllegalArgumentException("'" + args[i] + "' is no --name");
            }
            values.put(args[i].substring(2), args[i + 1]);
        }
        return new Arguments(values);
    }

    String wanted(String name) {
        String value = values.get(name);
        if (value == null) {
            throw new IllegalArgumentException("--" + name + " is missing");
        }
        return value;
    }

    String or(String name, String standard) {
        return values.getOrDefault(name, standard);
    }

    int number(String name, int standard) {
        return Integer.parseInt(or(name, String.valueOf(standard)));
    }
}
