package dev.shrike.cpu;

import dev.shrike.cpu.file.Fields;
import dev.shrike.cpu.file.HostileShrikeFileTest;
import dev.shrike.cpu.steps.ConvKernel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Damages what a {@code .shrike} file says and makes its checksum right again. */
final class ShrikeMutation {
    /** A value within the header and where it is: the container is a map or a list, the key a name or an index. */
    private record Leaf(Object container, Object key, Object value) {
        void set(Object other) {
            if (container instanceof Map) {
                map(container).put((String) key, other);
            } else {
                ShrikeMutation.<Object>cast((List<?>) container).set((Integer) key, other);
            }
        }
    }

    private final Random random;
    private final Map<String, Object> header;
    private final byte[] constants;
    private final Map<String, String> choices;

    private ShrikeMutation(FuzzCorpus.Built built, Random random) {
        this.random = random;
        this.header = map(copy(built.header()));
        this.constants = built.constants().clone();
        this.choices = new LinkedHashMap<>(built.choices());
    }

    /** A file of one to four damages. */
    static byte[] of(FuzzCorpus.Built built, Random random) {
        ShrikeMutation mutation = new ShrikeMutation(built, random);
        int count = random.nextInt(3) > 0 ? 1 : 2 + random.nextInt(3);
        for (int i = 0; i < count; i++) {
            mutation.damage();
        }
        return mutation.file();
    }

    private byte[] file() {
        byte[] text = Fields.toBytes(header);
        if (random.nextInt(24) == 0) {
            text[random.nextInt(text.length)] = (byte) random.nextInt(256);
        }
        byte[] advice = Fields.toBytes(choices);
        byte[] file = choices.isEmpty()
                ? HostileShrikeFileTest.assemble(text, constants)
                : HostileShrikeFileTest.assemble(text, constants, advice);
        if (random.nextInt(48) > 0) {
            return file;
        }
        int at = 8 + 4 * random.nextInt((64 + 32 * 2 - 8) / 4);
        ByteBuffer numbers = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        numbers.putInt(at, (int) OddValues.integer(random, numbers.getInt(at)));
        return HostileShrikeFileTest.sealed(file);
    }

    private void damage() {
        List<Map<String, Object>> nodes = objects(header.get("nodes"));
        switch (random.nextInt(20)) {
            case 0, 1, 2, 3, 4 -> changeLeaf(nodes.isEmpty() ? header : OddValues.of(nodes, random).get("op"));
            case 5 -> changeLeaf(nodes.isEmpty() ? header : OddValues.of(nodes, random));
            case 6 -> changeLeaf(header.get(random.nextBoolean() ? "inputs" : "outputs"));
            case 7 -> changeLeaf(header);
            case 8, 9, 10 -> changeConstant();
            case 11 -> changeLeaf(header.get(random.nextBoolean() ? "constants" : "quantization"));
            case 12 -> reshapeConstant();
            case 13 -> changeContainer();
            case 14 -> exchangeOperations(nodes);
            case 15, 16 -> rewire(nodes);
            case 17 -> rename(nodes);
            case 18 -> repeat(nodes);
            default -> chooseKernels();
        }
    }

    private void repeat(List<Map<String, Object>> nodes) {
        if (!nodes.isEmpty()) {
            nodes.add(random.nextInt(nodes.size() + 1), map(copy(OddValues.of(nodes, random))));
        }
    }

    private void changeLeaf(Object within) {
        List<Leaf> leaves = new ArrayList<>();
        leaves(within, leaves, false);
        if (leaves.isEmpty()) {
            return;
        }
        Leaf leaf = OddValues.of(leaves, random);
        leaf.set(switch (leaf.value()) {
            case Boolean flag -> !flag;
            case Long number -> OddValues.integer(random, number);
            case Float number -> (float) OddValues.real(random, number);
            default -> text(leaf);
        });
    }

    /** A text that stands elsewhere, mostly in a field of the same name. */
    private String text(Leaf leaf) {
        List<Leaf> all = new ArrayList<>();
        leaves(header, all, false);
        List<Leaf> texts = all.stream()
                .filter(other -> other.value() instanceof String)
                .filter(other -> leaf.key() instanceof Integer || other.key().equals(leaf.key()))
                .toList();
        if (random.nextInt(8) == 0 || texts.isEmpty()) {
            return List.of("", "x", "NaN", "a\nb", "\u0000", "é").get(random.nextInt(6));
        }
        return (String) OddValues.of(texts, random).value();
    }

    private void changeConstant() {
        Map<String, Object> tensors = map(header.get("constants"));
        List<Map<String, Object>> entries = objects(new ArrayList<>(tensors.values()));
        if (entries.isEmpty() || constants.length == 0) {
            return;
        }
        // Indices, shapes and axes are what other places depend on.
        List<Map<String, Object>> indices = entries.stream().filter(e -> "INT64".equals(e.get("type"))).toList();
        Map<String, Object> entry =
                OddValues.of(indices.isEmpty() || random.nextInt(3) == 0 ? entries : indices, random);
        if (!(entry.get("offset") instanceof Long offset) || !(entry.get("size") instanceof Long size) || offset < 0
                || size < 1 || size > constants.length || offset > constants.length - size) {
            return;
        }
        ByteBuffer bytes = ByteBuffer.wrap(constants).order(ByteOrder.LITTLE_ENDIAN);
        boolean raw = "RAW".equals(entry.get("encoding"));
        int at = Math.toIntExact(offset);
        if (raw && "INT64".equals(entry.get("type")) && size >= 8) {
            at += 8 * random.nextInt((int) (size / 8));
            bytes.putLong(at, OddValues.integer(random, bytes.getLong(at)));
        } else if (raw && "FLOAT32".equals(entry.get("type")) && size >= 4) {
            at += 4 * random.nextInt((int) (size / 4));
            bytes.putFloat(at, (float) OddValues.real(random, bytes.getFloat(at)));
        } else {
            bytes.put(at + random.nextInt(Math.toIntExact(size)), (byte) random.nextInt(256));
        }
    }

    /** Other dimensions of the same product. */
    private void reshapeConstant() {
        Map<String, Object> tensors = map(header.get("constants"));
        List<Map<String, Object>> entries = objects(new ArrayList<>(tensors.values()));
        if (entries.isEmpty() || !(OddValues.of(entries, random).get("dims") instanceof List<?> list)) {
            return;
        }
        List<Object> dims = cast(list);
        if (dims.isEmpty() || random.nextInt(3) == 0) {
            dims.add(random.nextInt(dims.size() + 1), 1L);
        } else if (random.nextBoolean() && dims.contains(1L)) {
            dims.remove(1L);
        } else {
            int a = random.nextInt(dims.size());
            int b = random.nextInt(dims.size());
            Object other = dims.get(a);
            dims.set(a, dims.get(b));
            dims.set(b, other);
        }
    }

    private void changeContainer() {
        List<Leaf> containers = new ArrayList<>();
        leaves(header, containers, true);
        if (containers.isEmpty()) {
            return;
        }
        Object value = OddValues.of(containers, random).value();
        if (value instanceof List<?> list) {
            List<Object> elements = cast(list);
            if (elements.isEmpty()) {
                elements.add(OddValues.integer(random, 0));
                return;
            }
            int at = random.nextInt(elements.size());
            switch (random.nextInt(3)) {
                case 0 -> elements.remove(at);
                case 1 -> elements.add(at, copy(elements.get(at)));
                default -> elements.set(at, copy(OddValues.of(elements, random)));
            }
            return;
        }
        Map<String, Object> fields = map(value);
        if (fields.isEmpty()) {
            return;
        }
        List<String> names = List.copyOf(fields.keySet());
        String name = OddValues.of(names, random);
        if (random.nextInt(4) == 0) {
            fields.remove(name);
        } else {
            fields.put(name, copy(fields.get(OddValues.of(names, random))));
        }
    }

    private void exchangeOperations(List<Map<String, Object>> nodes) {
        if (nodes.isEmpty()) {
            return;
        }
        Object op = OddValues.of(nodes, random).get("op");
        if (op != null) {
            OddValues.of(nodes, random).put("op", copy(op));
        }
    }

    private void rewire(List<Map<String, Object>> nodes) {
        List<Object> names = new ArrayList<>(List.of(""));
        nodes.forEach(node -> names.addAll(node.get("outputs") instanceof List<?> outputs ? outputs : List.of()));
        names.addAll(map(header.get("constants")).keySet());
        if (nodes.isEmpty() || !(OddValues.of(nodes, random).get("inputs") instanceof List<?> list)) {
            return;
        }
        List<Object> inputs = cast(list);
        Object name = OddValues.of(names, random);
        if (inputs.isEmpty() || random.nextInt(5) == 0) {
            inputs.add(name);
        } else if (random.nextInt(8) == 0) {
            inputs.remove(random.nextInt(inputs.size()));
        } else {
            inputs.set(random.nextInt(inputs.size()), name);
        }
    }

    /** Names that are there already, and such as the engine makes itself. */
    private void rename(List<Map<String, Object>> nodes) {
        if (nodes.isEmpty()) {
            return;
        }
        String made = List.of("", "/quantize", "/dequantize", "/exact", "/codes", ".rounded", "/real", "/table")
                .get(random.nextInt(8));
        OddValues.of(nodes, random).put("name", OddValues.of(nodes, random).get("name") + made);
    }

    private void chooseKernels() {
        String label = OddValues.of(ConvKernel.labels(), random);
        if (random.nextBoolean()) {
            choices.replaceAll((key, old) -> key.equals("for") ? old : label);
        } else if (!choices.isEmpty()) {
            choices.put(OddValues.of(List.copyOf(choices.keySet()), random), label);
        }
    }

    private static void leaves(Object value, List<Leaf> found, boolean containers) {
        Map<Object, Object> children = new LinkedHashMap<>();
        if (value instanceof Map<?, ?> map) {
            children.putAll(map);
        } else if (value instanceof List<?> list) {
            for (int i = 0; i < list.size(); i++) {
                children.put(i, list.get(i));
            }
        }
        children.forEach((key, child) -> {
            boolean container = child instanceof Map || child instanceof List;
            if (container == containers) {
                found.add(new Leaf(value, key, child));
            }
            leaves(child, found, containers);
        });
    }

    /** A tree that may be changed: longs, floats, texts, flags, maps and lists, as a parser would give them. */
    private static Object copy(Object value) {
        return switch (value) {
            case null -> null;
            case Map<?, ?> map -> {
                Map<String, Object> copy = new LinkedHashMap<>();
                map.forEach((key, child) -> copy.put((String) key, copy(child)));
                yield copy;
            }
            case List<?> list -> {
                List<Object> copy = new ArrayList<>();
                list.forEach(child -> copy.add(copy(child)));
                yield copy;
            }
            case Integer number -> number.longValue();
            case Enum<?> constant -> constant.name();
            default -> value;
        };
    }

    private static List<Map<String, Object>> objects(Object list) {
        if (!(list instanceof List<?> elements) || !elements.stream().allMatch(Map.class::isInstance)) {
            return new ArrayList<>();
        }
        return cast(elements);
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> map(Object value) {
        return value instanceof Map<?, ?> ? (Map<String, Object>) value : new LinkedHashMap<>();
    }

    @SuppressWarnings("unchecked")
    private static <T> List<T> cast(List<?> list) {
        return (List<T>) list;
    }
}
