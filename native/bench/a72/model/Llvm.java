import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** LLVM's disassembler and its model of pipelines, as the programs llvm-mc and llvm-mca in a folder. */
final class Llvm {
    private static final Pattern INVALID = Pattern.compile("<stdin>:(\\d+):\\d+: warning: invalid");
    private static final Pattern CYCLES = Pattern.compile("Total Cycles:\\s+(\\d+)");
    /** So many a process, since each of them starts with reading LLVM's tables. */
    private static final int REGIONS = 200;

    private final Path folder;
    private final Map<String, Long> known = new HashMap<>();
    private int processes;

    Llvm(Path folder) {
        this.folder = folder;
    }

    /** Processes of llvm-mca so far. */
    int processes() {
        return processes;
    }

    /** The instructions of these codes in assembly; {@code nop} for what is none. */
    Map<String, String> disassemble(Set<String> codes) {
        List<String> order = List.copyOf(codes);
        StringBuilder bytes = new StringBuilder();
        for (String code : order) {
            for (int i = 6; i >= 0; i -= 2) {
                bytes.append("0x").append(code, i, i + 2).append(i == 0 ? '\n' : ' ');
            }
        }
        Output output = run(bytes.toString(), "llvm-mc", "--disassemble", "-triple=aarch64", "-mattr=+v8.7a,+all");
        Set<Integer> invalid = new HashSet<>();
        Matcher matcher = INVALID.matcher(output.errors);
        while (matcher.find()) {
            invalid.add(Integer.parseInt(matcher.group(1)) - 1);
        }
        List<String> lines = output.text.lines().map(String::strip)
                .filter(line -> !line.isEmpty() && !line.equals(".text")).toList();
        if (lines.size() != order.size() - invalid.size()) {
            throw new IllegalStateException("llvm-mc gave " + lines.size() + " instructions of " + order.size()
                    + " codes, " + invalid.size() + " of them invalid: " + output.errors);
        }
        Map<String, String> text = new HashMap<>();
        int line = 0;
        for (int i = 0; i < order.size(); i++) {
            text.put(order.get(i), invalid.contains(i) ? "nop" : lines.get(line++));
        }
        return text;
    }

    /** Cycles that so many iterations of each of these bodies take together, from an idle core to its end. */
    long[] cycles(List<String> bodies, Core core, int iterations) {
        String prefix = core.corrections() + " " + core.options() + " " + iterations + "\n";
        List<String> unknown = bodies.stream().distinct().filter(body -> !known.containsKey(prefix + body)).toList();
        for (int from = 0; from < unknown.size(); from += REGIONS) {
            List<String> part = unknown.subList(from, Math.min(unknown.size(), from + REGIONS));
            List<Long> cycles = run(part, core, iterations);
            for (int i = 0; i < part.size(); i++) {
                known.put(prefix + part.get(i), cycles.get(i));
            }
        }
        return bodies.stream().mapToLong(body -> known.get(prefix + body)).toArray();
    }

    private List<Long> run(List<String> bodies, Core core, int iterations) {
        StringBuilder source = new StringBuilder();
        for (String body : bodies) {
            source.append("# LLVM-MCA-BEGIN\n").append(body).append("\n# LLVM-MCA-END\n");
        }
        List<String> command = new ArrayList<>(List.of("llvm-mca", "-mtriple=aarch64-linux-gnu", "-mcpu=cortex-a72",
                "-mattr=+v8.7a", "-iterations=" + iterations, "-instruction-info=0", "-resource-pressure=0",
                "-skip-unsupported-instructions=any"));
        command.addAll(core.options());
        processes++;
        Output output = run(source.toString(), command.toArray(String[]::new));
        List<Long> cycles = new ArrayList<>();
        Matcher matcher = CYCLES.matcher(output.text);
        while (matcher.find()) {
            cycles.add(Long.valueOf(matcher.group(1)));
        }
        if (cycles.size() != bodies.size()) {
            throw new IllegalStateException("llvm-mca gave " + cycles.size() + " results for " + bodies.size()
                    + " pieces of code: " + output.errors.lines().limit(5).toList());
        }
        return cycles;
    }

    /** Lines of the symbols that a library's own table has; none where it was removed. */
    List<String> symbols(Path library) {
        return run("", "llvm-nm", "--defined-only", library.toString()).text.lines().toList();
    }

    private record Output(String text, String errors) {}

    private Output run(String input, String... command) {
        command[0] = folder.resolve(command[0]).toString();
        try {
            Path in = Files.writeString(Files.createTempFile("a72", ".s"), input);
            Path errors = Files.createTempFile("a72", ".errors");
            try {
                Process process = new ProcessBuilder(command).redirectInput(in.toFile())
                        .redirectError(errors.toFile()).start();
                String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                int status = process.waitFor();
                String said = Files.readString(errors);
                if (status != 0) {
                    throw new IllegalStateException(command[0] + " failed: " + said.lines().limit(5).toList());
                }
                return new Output(text, said);
            } finally {
                Files.delete(in);
                Files.delete(errors);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(command[0] + " does not run", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
