package dev.shrike.cpu.binding;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * The memory that the machine, or the control group that the process runs in, has left. Linux hands out more than there
 * is and ends a process that uses it, so what needs a lot looks here first.
 */
public final class MachineMemory {
    private static final Path MACHINE = Path.of("/proc/meminfo");
    private static final Path GROUP = Path.of("/sys/fs/cgroup");

    private MachineMemory() {}

    /** Bytes that can still be taken, or nothing where the system does not say. */
    public static OptionalLong available() {
        return available(MACHINE, GROUP);
    }

    /** As {@link #available()}, of these files in the form of Linux. */
    public static OptionalLong available(Path machine, Path group) {
        return Stream.of(ofMachine(machine), ofGroup(group))
                .flatMapToLong(OptionalLong::stream)
                .min();
    }

    private static OptionalLong ofMachine(Path file) {
        for (String line : lines(file)) {
            String[] words = line.split("\\s+");
            if (words.length > 1 && words[0].equals("MemAvailable:")) {
                return number(words[1], 1024);
            }
        }
        return OptionalLong.empty();
    }

    private static OptionalLong ofGroup(Path folder) {
        OptionalLong most = number(String.join("", lines(folder.resolve("memory.max"))), 1);
        OptionalLong used = number(String.join("", lines(folder.resolve("memory.current"))), 1);
        // What is in use counts pages of files too, which the system gives back.
        OptionalLong files = lines(folder.resolve("memory.stat")).stream()
                .filter(line -> line.startsWith("file "))
                .flatMapToLong(line -> number(line.substring("file ".length()), 1).stream())
                .findFirst();
        return most.isEmpty() || used.isEmpty() ? OptionalLong.empty()
                : OptionalLong.of(Math.max(0, most.getAsLong() - used.getAsLong() + files.orElse(0)));
    }

    private static OptionalLong number(String text, long unit) {
        try {
            return OptionalLong.of(Math.multiplyExact(Long.parseLong(text.trim()), unit));
        } catch (ArithmeticException | NumberFormatException _) {
            return OptionalLong.empty();
        }
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException _) {
            return List.of();
        }
    }
}
