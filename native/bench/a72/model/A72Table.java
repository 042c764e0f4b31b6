import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Prints the table of a72.sh: {@code A72Table LLVM_BIN LIST JSON HOT}. Each line of LIST has a network, a column, a
 * dump of blocks_plugin, the maps of the process and the libraries whose functions are named, with tabs between.
 */
final class A72Table {
    private static final double MEGA = 1e6;
    private static final double WINDOWS_WITHIN = 0.02;
    private static final List<String> RIVALS = List.of("onnxruntime-float", "onnxruntime-int8");

    /** A column of a network, counted and modelled; cycles are those of {@link Core#ALL}, in their order. */
    private record Row(String network, String column, Dump dump, List<CycleModel.Result> cores, double windows,
            Map<String, Double> functions) {
        double cycles() {
            return cores.getFirst().cycles();
        }
    }

    private record Ratio(double value, double least, double most) {
        static Ratio of(Row rival, Row row) {
            List<Double> all = new ArrayList<>();
            for (int i = 0; i < row.cores().size(); i++) {
                all.add(rival.cores().get(i).cycles() / row.cores().get(i).cycles());
            }
            return new Ratio(all.getFirst(), all.stream().min(Double::compare).orElseThrow(),
                    all.stream().max(Double::compare).orElseThrow());
        }
    }

    private A72Table() {}

    public static void main(String[] args) throws IOException {
        Llvm llvm = new Llvm(Path.of(args[0]));
        List<Row> rows = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of(args[1]))) {
            rows.add(row(llvm, line.split("\t")));
        }
        Map<String, List<Row>> networks = new LinkedHashMap<>();
        rows.forEach(row -> networks.computeIfAbsent(row.network(), _ -> new ArrayList<>()).add(row));
        networks.forEach((network, some) -> print(network, some, Integer.parseInt(args[3])));
        Files.writeString(Path.of(args[2]), json(rows));
        List<Row> bad = rows.stream().filter(row -> Math.abs(row.windows() - 1) > WINDOWS_WITHIN).toList();
        for (Row row : bad) {
            System.err.printf(Locale.ROOT, "a72: %s %s: sampled windows take %.3f of what the traces say; that ought"
                    + " to be within %.2f of 1%n", row.network(), row.column(), row.windows(), WINDOWS_WITHIN);
        }
        System.exit(bad.isEmpty() ? 0 : 1);
    }

    private static Row row(Llvm llvm, String[] words) throws IOException {
        Dump dump = Dump.read(Path.of(words[2]));
        CycleModel model = new CycleModel(llvm, dump);
        List<CycleModel.Result> cores = Core.ALL.stream().map(model::on).toList();
        Functions functions = Functions.read(Path.of(words[3]));
        for (int i = 4; i < words.length; i++) {
            functions.addSymbols(words[i], llvm.symbols(Path.of(words[i])));
        }
        Map<String, Double> cycles = new HashMap<>();
        double other = cores.getFirst().pipelines() / dump.total("instructions");
        for (Dump.Block block : dump.blocks().values()) {
            cycles.merge(functions.at(block.address()), block.instructions()
                    * cores.getFirst().perInstruction().getOrDefault(block.id(), other), Double::sum);
        }
        return new Row(words[0], words[1], dump, cores, model.windowRatio(Core.A72, cores.getFirst()), cycles);
    }

    private static void print(String network, List<Row> rows, int hot) {
        System.out.printf("%s, one thread, from the network's input to its decoded boxes%n", network);
        System.out.printf("%-18s %8s %8s %6s %8s %8s", "", "Minstr", "Mcycles", "IPC", "MB", "windows");
        List<Row> rivals = rows.stream().filter(row -> RIVALS.contains(row.column())).toList();
        rivals.forEach(rival -> System.out.printf("  %22s", rival.column()));
        System.out.println();
        for (Row row : rows) {
            System.out.printf(Locale.ROOT, "%-18s %8.1f %8.1f %6.2f %8.1f %8.3f", row.column(),
                    row.dump().total("instructions") / MEGA, row.cycles() / MEGA,
                    row.dump().total("instructions") / row.cycles(), row.dump().memoryBytes() / MEGA, row.windows());
            for (Row rival : rivals) {
                Ratio ratio = Ratio.of(rival, row);
                System.out.printf(Locale.ROOT, "  %5.2fx (%5.2f to %5.2f)", ratio.value(), ratio.least(), ratio.most());
            }
            System.out.println();
        }
        for (Row row : rows) {
            System.out.printf("%n%s: share of the cycles by function%n", row.column());
            row.functions().entrySet().stream().sorted(Map.Entry.<String, Double>comparingByValue().reversed())
                    .limit(hot).forEach(entry -> System.out.printf(Locale.ROOT, "  %5.1f %% %8.2f Mcycles  %s%n",
                            100 * entry.getValue() / row.cycles(), entry.getValue() / MEGA, entry.getKey()));
        }
        System.out.println();
    }

    private static String json(List<Row> rows) {
        StringBuilder json = new StringBuilder("{\"rows\": [");
        for (Row row : rows) {
            json.append(json.charAt(json.length() - 1) == '[' ? "\n" : ",\n").append(json(row, rows));
        }
        return json.append("\n]}\n").toString();
    }

    private static String json(Row row, List<Row> rows) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("network", quoted(row.network()));
        fields.put("column", quoted(row.column()));
        fields.put("cycles", (long) row.cycles());
        fields.put("instructions_per_cycle", row.dump().total("instructions") / row.cycles());
        fields.put("memory_bytes", row.dump().memoryBytes());
        fields.put("sampled_windows_ratio", row.windows());
        Map<String, Object> cores = new LinkedHashMap<>();
        for (int i = 0; i < Core.ALL.size(); i++) {
            cores.put(Core.ALL.get(i).name(), (long) row.cores().get(i).cycles());
        }
        fields.put("cycles_by_core", object(cores));
        Map<String, Object> ratios = new LinkedHashMap<>();
        for (Row rival : rows) {
            if (rival.network().equals(row.network()) && RIVALS.contains(rival.column())) {
                Ratio ratio = Ratio.of(rival, row);
                ratios.put(rival.column(), List.of(ratio.value(), ratio.least(), ratio.most()));
            }
        }
        fields.put("ratio_least_most", object(ratios));
        fields.put("counted", object(new TreeMap<>(row.dump().totals())));
        Map<String, Object> functions = new LinkedHashMap<>();
        row.functions().entrySet().stream()
                .sorted(Map.Entry.<String, Double>comparingByValue(Comparator.reverseOrder())).limit(50)
                .forEach(entry -> functions.put(entry.getKey(), Math.round(entry.getValue())));
        fields.put("cycles_by_function", object(functions));
        return object(fields);
    }

    private static String object(Map<String, ?> fields) {
        List<String> members = new ArrayList<>();
        fields.forEach((name, value) -> members.add(quoted(name) + ": " + value));
        return "{" + String.join(", ", members) + "}";
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            quoted.append(c == '"' || c == '\\' ? "\\" + c : c < ' ' ? String.format("\\u%04x", (int) c) : c);
        }
        return quoted.append('"').toString();
    }
}
