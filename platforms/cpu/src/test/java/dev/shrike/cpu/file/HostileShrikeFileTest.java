package dev.shrike.cpu.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.cpu.CpuBackend;
import dev.shrike.cpu.SmallNetworks;
import dev.shrike.cpu.plan.Plan;
import dev.shrike.cpu.steps.ConvLayer;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import dev.shrike.spi.ExecutorOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Damaged files, and files that somebody made with a checksum that is right. */
@Tag("any-processor")
public class HostileShrikeFileTest {
    @TempDir
    private Path folder;

    private Path file;
    private byte[] bytes;

    @BeforeEach
    void writeModel() throws IOException {
        Random random = new Random(5);
        float[] values = new float[40];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat();
        }
        Map<String, Tensor> constants = Map.of(
                "w", Tensor.of(DataType.INT8, Shape.of(100), random.longs(100, -1, 2).toArray()),
                "b", Tensor.ofFloats(Shape.of(40), values),
                "t", Tensor.ofFloats(Shape.of(300), new float[300]),
                "p", Tensor.ofFloats(Shape.of(60), pruned(values)));
        Op conv = new Op.Conv(Window.square(1, 1, 0), 1, dev.shrike.graph.Activation.SILU);
        Graph graph = new Graph("small", List.of(new ValueInfo("x", DataType.FLOAT32, Shape.of(1, 1, 1, 1))),
                List.of(new ValueInfo("y", DataType.FLOAT32, Shape.of(1, 1, 1, 1))),
                List.of(new Node("conv", conv, List.of("x", "w", "b"), List.of("y"))), constants,
                Map.of("w", Quantization.perTensor(0.5f, 0, 2, true)), Map.of("stride", "32"));
        file = folder.resolve("small.shrike");
        new ShrikeFile(graph, Map.of("choice", "int8")).write(file);
        bytes = Files.readAllBytes(file);
    }

    /** The values with a zero after every second one. */
    private static float[] pruned(float[] values) {
        float[] all = new float[values.length * 3 / 2];
        for (int i = 0; i < values.length; i++) {
            all[i * 3 / 2] = values[i];
        }
        return all;
    }

    /** What reading these bytes fails with; the message names the file and the way out. */
    private String refusal(byte[] content, String context) {
        MemorySegment segment = MemorySegment.ofArray(content);
        ModelException e =
                assertThrows(ModelException.class, () -> ShrikeFile.read(segment, file.toString()), context);
        assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
        assertTrue(e.getMessage().endsWith("; build it again with 'shrike build'"), e.getMessage());
        return e.getMessage();
    }

    /** The bytes with the checksum that they have. */
    public static byte[] sealed(byte[] content) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(content, 0, 32);
            digest.update(content, 64, content.length - 64);
            byte[] copy = content.clone();
            System.arraycopy(digest.digest(), 0, copy, 32, 32);
            return copy;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static ByteBuffer numbers(byte[] content) {
        return ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A file with these three sections as the format wants them, whatever is in them. */
    public static byte[] assemble(byte[]... sections) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteBuffer start = numbers(new byte[64 + 32 * sections.length]);
        long end = start.capacity();
        out.writeBytes(start.array());
        for (int i = 0; i < sections.length; i++) {
            long offset = (end + 63) / 64 * 64;
            out.writeBytes(new byte[(int) (offset - end)]);
            out.writeBytes(sections[i]);
            start.putInt(64 + 32 * i, i + 1).putLong(72 + 32 * i, offset).putLong(80 + 32 * i, sections[i].length);
            end = offset + sections[i].length;
        }
        start.put(0, FileLayout.MAGIC).putInt(8, 2).putInt(12, sections.length).putLong(16, end);
        byte[] content = out.toByteArray();
        System.arraycopy(start.array(), 0, content, 0, start.capacity());
        return sealed(content);
    }

    private byte[] section(int index) {
        ByteBuffer table = numbers(bytes);
        int offset = (int) table.getLong(72 + 32 * index);
        return Arrays.copyOfRange(bytes, offset, offset + (int) table.getLong(80 + 32 * index));
    }

    @Test
    void theFormatIsAsDescribed() {
        assertEquals(-1, Arrays.mismatch(bytes, assemble(section(0), section(1), section(2))));
    }

    /** Every bit of every byte, and every byte made another one: in each part of the file. */
    @Test
    void aChangedByteAnywhereIsRefused() {
        Map<String, Integer> refused = new TreeMap<>();
        for (int at = 0; at < bytes.length; at++) {
            for (int change : new int[] {1, 2, 4, 8, 16, 32, 64, 128, 0xff, 1 + at % 255}) {
                byte[] damaged = bytes.clone();
                damaged[at] ^= (byte) change;
                refusal(damaged, "byte " + at + " changed by " + change);
                refused.merge(part(at), 1, Integer::sum);
            }
        }
        assertEquals(Set.of("magic, version, count and length", "checksum", "table", "header", "constants", "choices",
                "between sections"), refused.keySet());
        System.out.println("changed bytes, all refused: " + refused);
    }

    /** What of the file a byte is part of. */
    private String part(int at) {
        if (at < 64 + 32 * 3) {
            return at < 32 ? "magic, version, count and length" : at < 64 ? "checksum" : "table";
        }
        ByteBuffer table = numbers(bytes);
        for (int i = 0; i < 3; i++) {
            long offset = table.getLong(72 + 32 * i);
            if (at >= offset && at < offset + table.getLong(80 + 32 * i)) {
                return List.of("header", "constants", "choices").get(i);
            }
        }
        return "between sections";
    }

    @Test
    void everyTruncationAndExtensionIsRefused() {
        for (int length = 0; length < bytes.length; length++) {
            refusal(Arrays.copyOf(bytes, length), "length " + length);
        }
        refusal(Arrays.copyOf(bytes, bytes.length + 1), "one more byte");
        refusal(Arrays.copyOf(bytes, bytes.length + 64), "64 more bytes");
    }

    @Test
    void aNewerVersionIsToldFromDamage() {
        numbers(bytes).putInt(8, 3);
        assertTrue(refusal(sealed(bytes), "version 3").contains("has version 3 of the file format"));
        assertTrue(refusal(bytes, "version 3, checksum of 2").contains("SHA-256"));
    }

    @Test
    void placesOfSectionsAreChecked() {
        long[] odd = {0, 1, 63, 64, -1, -64, Long.MIN_VALUE, Long.MAX_VALUE, Long.MAX_VALUE - 63, bytes.length,
                bytes.length - 1, 1L << 32, 1L << 62};
        for (int entry = 0; entry < 3; entry++) {
            for (int field : new int[] {8, 16}) {
                for (long value : odd) {
                    byte[] content = bytes.clone();
                    numbers(content).putLong(64 + 32 * entry + field, value);
                    if (!Arrays.equals(content, bytes)) {
                        refusal(sealed(content), "section " + entry + ", field " + field + " is " + value);
                    }
                }
            }
            for (int kind : new int[] {0, 1 + (entry + 1) % 3, 4, -1, Integer.MIN_VALUE}) {
                byte[] content = bytes.clone();
                numbers(content).putInt(64 + 32 * entry, kind);
                refusal(sealed(content), "section " + entry + " is of kind " + kind);
            }
        }
        for (int count : new int[] {0, 1, 2, 4, 100, -1, Integer.MAX_VALUE}) {
            byte[] content = bytes.clone();
            numbers(content).putInt(12, count);
            refusal(sealed(content), count + " sections");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            "offset":0            | "offset":-1                   | are not within
            "offset":0            | "offset":9223372036854775807  | are not within
            "offset":0            | "offset":99999999999999999999 | is no JSON
            "offset":0            | "offset":"0"                  | 'offset' is not a whole number
            "offset":0            | "offset":0.5                  | 'offset' is not a whole number
            "offset":0            | "offset":null                 | unexpected VALUE_NULL
            "offset":0            | "ofset":0                     | 'offset' is missing
            "size":160            | "size":9223372036854775807    | are not within
            "size":160            | "size":156                    | needs 160 bytes
            "dims":[40]           | "dims":[-1]                   | open shape
            "dims":[40]           | "dims":[-40]                  | dimension -40
            "dims":[40]           | "dims":[4611686018427387904,8] | overflow
            "dims":[40]           | "dims":[4611686018427387904]  | overflow
            "dims":[40]           | "dims":40                     | 'dims' is not a list
            "dims":[40]           | "dims":["40"]                 | 'dims' is not a list of whole numbers
            "dims":[100]          | "dims":[9223372036854775807]  | do not hold
            "dims":[100]          | "dims":[104]                  | do not hold
            "dims":[300]          | "dims":[2000000000]           | cannot hold
            "dims":[300]          | "dims":[500000000]            | cannot hold
            "dims":[300]          | "dims":[301]                  | bytes come of the compressed ones
            "dims":[60]           | "dims":[65]                  | without their zeros
            "dims":[60]           | "dims":[56]                  | without their zeros
            "dims":[60]           | "dims":[4000000000]           | without their zeros
            "dims":[60]           | "dims":[0]                    | without their zeros
            "encoding":"WITHOUT_ZEROS" | "encoding":"RAW"         | needs 240 bytes
            "encoding":"CODES"    | "encoding":"WITHOUT_ZEROS"    | zeros are left out of floats alone
            "bits":2,"low"        | "bits":0,"low"                | codes of 0 bits
            "bits":2,"low"        | "bits":9,"low"                | codes of 9 bits
            "bits":2,"low"        | "bits":-2,"low"               | codes of -2 bits
            "bits":2,"low"        | "bits":2147483650,"low"       | does not fit 32 bits
            "bits":2,"signed"     | "bits":40,"signed"            | width 40 is not within
            "type":"INT8"         | "type":"INT9"                 | is no DataType
            "type":"INT8"         | "type":"FLOAT32"              | cannot hold FLOAT32
            "encoding":"RAW"      | "encoding":"raw"              | is no Encoding
            "encoding":"RAW"      | "encoding":"DEFLATED"         | compressed
            "kind":"Conv"         | "kind":"Convolve"             | there is no operation 'Convolve'
            "kind":"Conv"         | "kind":["Conv"]               | 'kind' is not a text
            "kernel":[1,1]        | "kernel":[0,1]                | kernel 0x1 is not positive
            "kernel":[1,1]        | "kernel":[1]                  | has 1 numbers, not 2
            "kernel":[1,1]        | "kernel":[1,4294967297]       | does not fit 32 bits
            "kernel":[1,1]        | "kernel":[1,1048577]          | the window's width is 1048577, which exceeds
            "stride":[1,1]        | "stride":[1073741824,1]       | the window's stride is 1073741824, which exceeds
            "pads":[0,0,0,0]      | "pads":[0,0,0,1073741824]     | the window's padding is 1073741824, which exceeds
            "dilation":[1,1]      | "dilation":[536870912,1]      | the window's height is 536870912, which exceeds
            "axis":-1             | "axis":-2                     | axis -2
            "alpha":0.0           | "alpha":"much"                | 'alpha' is not a number
            "function":"SILU"     | "function":"MAGIC"            | is no Kind
            "inputs":["x","w"     | "inputs":["z","w"             | reads 'z'
            "outputs":["y"]       | "outputs":["x"]               | writes 'x'
            "name":"small"        | "name":7                      | 'name' is not a text
            "stride":"32"         | "stride":32                   | 'stride' is not a text
            "nodes":[             | "nodes":[7,                   | is no object
            {"name":"small"       | {"name":"a","name":"small"    | is no JSON
            """)
    void wrongHeadersAreRefused(String field, String wrong, String message) {
        String header = new String(section(0), StandardCharsets.UTF_8);
        assertTrue(header.contains(field), header);
        byte[] changed = header.replace(field, wrong).getBytes(StandardCharsets.UTF_8);
        String refusal = refusal(assemble(changed, section(1), section(2)), wrong);
        assertTrue(refusal.contains(message), refusal);
    }

    /** A few bytes that very many constants share, each of which unpacks to much more. */
    @Test
    void whatUnpacksToMoreThanAnyFileNeedsIsRefusedBeforeItIs() {
        Map<String, Tensor> constants = Map.of("zeros", Tensor.ofFloats(Shape.of(1 << 22), new float[1 << 22]));
        ValueInfo x = new ValueInfo("x", DataType.FLOAT32, Shape.of(1));
        new ShrikeFile(new Graph("large", List.of(x), List.of(x), List.of(), constants, Map.of(), Map.of()),
                Map.of("choice", "int8")).write(file);
        try {
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String header = new String(section(0), StandardCharsets.UTF_8);
        int from = header.indexOf("\"zeros\":");
        String entry = header.substring(from, header.indexOf('}', from) + 1);
        StringBuilder more = new StringBuilder(entry);
        for (int i = 0; i < 100; i++) {
            more.append(',').append(entry.replace("zeros", "zeros " + i));
        }
        byte[] changed = header.replace(entry, more).getBytes(StandardCharsets.UTF_8);
        String refusal = refusal(assemble(changed, section(1), section(2)), "101 constants of 16 MiB");
        assertTrue(refusal.contains("1694498816 bytes in memory"), refusal);
        assertEquals(1, ShrikeFile.read(MemorySegment.ofArray(bytes), "once").graph().constants().size());
    }

    @Test
    void nodesWithOneNameAreRefused() {
        String header = new String(section(0), StandardCharsets.UTF_8);
        int from = header.indexOf("{\"name\":\"conv\"");
        String node = header.substring(from, header.indexOf("],\"constants\""));
        String twin = node.replace("[\"y\"]", "[\"z\"]");
        byte[] changed = header.replace(node, node + "," + twin).getBytes(StandardCharsets.UTF_8);
        String refusal = refusal(assemble(changed, section(1), section(2)), "two nodes");
        assertTrue(refusal.contains("two nodes are called 'conv'"), refusal);
    }

    @Test
    void thingsThatAreNoHeaderAreRefused() {
        for (String header : List.of("", " ", "{", "7", "null", "[]", "{}", "{}{}", "{\"name\":", "\u0000",
                "[".repeat(100_000), "{\"a\":".repeat(100_000), "\"" + "x".repeat(100_000),
                "{\"name\":1e999999999}")) {
            byte[] content = header.getBytes(StandardCharsets.UTF_8);
            refusal(assemble(content, section(1)), header.substring(0, Math.min(20, header.length())));
        }
        refusal(assemble(new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1}, section(1)), "no UTF-8");
        refusal(assemble(section(0), new byte[0]), "no constants");
        refusal(assemble(section(0), section(1), "{\"a\":1}".getBytes(StandardCharsets.UTF_8)), "choice of 1");
    }

    /** Random changes under a right checksum: a graph or a clear refusal, nothing else. */
    @Test
    void randomChangesGiveAGraphOrARefusal() {
        byte[] header = section(0);
        for (int seed = 0; seed < 3000; seed++) {
            Random random = new Random(seed);
            byte[] changed = header.clone();
            byte[] constants = section(1);
            for (int i = 0; i <= random.nextInt(3); i++) {
                int at = random.nextInt(changed.length);
                changed[at] = random.nextBoolean() ? changed[random.nextInt(changed.length)]
                        : (byte) random.nextInt(32, 127);
                constants[random.nextInt(constants.length)] ^= (byte) random.nextInt();
            }
            try {
                ShrikeFile.read(MemorySegment.ofArray(assemble(changed, constants)), file.toString());
            } catch (ModelException e) {
                assertTrue(e.getMessage().startsWith(file + ": "), "seed " + seed + ": " + e.getMessage());
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    /** A choice is advice: whatever it says, the model runs as without it. */
    @Test
    void hostileChoicesAreIgnored() {
        Graph graph = SmallNetworks.quantized(new Random(1), new SmallNetworks.Sizes(3, 8, 5, 9, 3, 1), 2, 2);
        Graph real = SmallNetworks.real(new Random(1), new SmallNetworks.Sizes(3, 8, 5, 9, 3, 1));
        for (Graph network : List.of(graph, real)) {
            List<ConvLayer> usual = layers(network, Map.of());
            List<Map<String, String>> hostile = new ArrayList<>();
            for (String kernel : List.of("", "warp", "INT8", "../int8", "\u0000", "x".repeat(100_000))) {
                hostile.add(choices(usual, kernel));
            }
            hostile.add(choices(usual, network == graph ? "native" : "bitserial"));
            hostile.add(Map.of("for", "any", "no such layer", "int8", "", "bitserial", "\n", "reference"));
            Map<String, String> many = new HashMap<>(Map.of("for", "any"));
            for (int i = 0; i < 100_000; i++) {
                many.put("layer " + i, "int8");
            }
            hostile.add(many);
            for (Map<String, String> choices : hostile) {
                new ShrikeFile(network, choices).write(file);
                ShrikeFile read = ShrikeFile.read(file);
                assertEquals(choices, read.choices());
                assertEquals(usual, layers(read.graph(), read.choices()));
            }
        }
    }

    private static Map<String, String> choices(List<ConvLayer> layers, String kernel) {
        Map<String, String> choices = new HashMap<>(Map.of("for", "any"));
        layers.forEach(layer -> choices.put(layer.key(), kernel));
        return choices;
    }

    private static List<ConvLayer> layers(Graph graph, Map<String, String> choices) {
        ExecutorOptions options = ExecutorOptions.DEFAULT.withThreads(1).withChoices(choices);
        try (Plan plan = (Plan) new CpuBackend().open(graph, options)) {
            plan.run();
            return plan.layers();
        }
    }
}
