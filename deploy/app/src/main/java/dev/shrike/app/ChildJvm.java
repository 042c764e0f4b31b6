package dev.shrike.app;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Command lines of further processes that run classes of this program in a JVM like this one. */
public final class ChildJvm {
    private ChildJvm() {}

    /** The command: this JVM with its options, a start cache among them, and with the classes that this one has. */
    public static List<String> command(Class<?> main, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (!option.startsWith("-agentlib") && !option.startsWith("-javaagent")
                    && !option.startsWith("-Djava.class.path") && !option.startsWith("-Dshrike.terminal")) {
                command.add(option);
            }
        }
        if (main.getModule().isNamed()) {
            command.addAll(List.of("-p", System.getProperty("jdk.module.path", ""), "-m",
                    main.getModule().getName() + "/" + main.getName()));
        } else {
            command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        }
        command.addAll(arguments);
        return command;
    }
}
