package dev.shrike.cpu.binding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.cpu.vendor.AclLibrary;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ParamsTest {
    private static final List<String> CONSTANTS = List.of("SHRIKE_MAX_RANK=6", "SHRIKE_MAX_BATCH_RANK=4");

    static List<Params> structs() {
        return List.of(
                Params.CONV2D,
                Params.POOL2D,
                Params.RESIZE2D,
                Params.UNARY,
                Params.BINARY,
                Params.COPY,
                Params.FILL,
                Params.SOFTMAX,
                Params.REDUCE,
                Params.MATMUL,
                Params.CONV2D_Q,
                Params.POOL2D_U8,
                Params.RESIZE2D_U8,
                Params.LUT_U8,
                Params.ADD_U8,
                Params.QUANTIZE,
                Params.QUANTIZE_MEASURED,
                Params.DEQUANTIZE,
                Params.LETTERBOX,
                Params.ACL_CONV2D);
    }

    @ParameterizedTest
    @MethodSource("structs")
    void fieldsAreThoseOfTheHeader(Params params) throws IOException {
        assertEquals(declared(params.name()), params.declaration());
    }

    private static List<String> declared(String struct) throws IOException {
        String headers = struct.startsWith("shrike_acl") ? NativeHeaders.acl() : NativeHeaders.shrike();
        String header = headers.replaceAll("(?s)/\\*.*?\\*/", "");
        Matcher matcher = Pattern.compile("typedef struct " + struct + " \\{(.*?)\\}", Pattern.DOTALL).matcher(header);
        assertTrue(matcher.find(), "no " + struct + " in the headers");
        List<String> fields = new ArrayList<>();
        for (String line : matcher.group(1).split(";")) {
            if (line.isBlank()) {
                continue;
            }
            String text = line.strip();
            boolean pointer = text.contains("*");
            String[] words = text.replace("const ", "").replace("*", " ").strip().split("\\s+", 2);
            String type = pointer
                    ? "pointer"
                    : switch (words[0]) {
                        case "uint8_t" -> "u8";
                        case "shrike_bounds" -> "bounds";
                        case "int64_t" -> "i64";
                        case "int32_t" -> "i32";
                        case "uint32_t" -> "u32";
                        case "float" -> "f32";
                        default -> throw new AssertionError("type " + words[0] + " in " + struct);
                    };
            for (String name : words[1].split(",")) {
                String field = name.strip();
                for (String constant : CONSTANTS) {
                    field = field.replace(constant.split("=")[0], constant.split("=")[1]);
                }
                fields.add(type + " " + field);
            }
        }
        return fields;
    }

    /** No address reaches libshrike without what lies around it. */
    @ParameterizedTest
    @MethodSource("structs")
    void everyPointerHasBounds(Params params) {
        List<String> pointers = named(params, "pointer");
        List<String> wanted = params == Params.ACL_CONV2D ? List.of()
                : pointers.stream().map(pointer -> pointer + "_bounds").toList();
        assertEquals(wanted, named(params, "bounds"));
        assertTrue(!pointers.isEmpty());
    }

    private static List<String> named(Params params, String type) {
        return params.declaration().stream()
                .filter(field -> field.startsWith(type + " "))
                .map(field -> field.substring(type.length() + 1))
                .toList();
    }

    @Test
    void pointersAreWrittenWithTheirBounds() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(40, 8);
            MemorySegment written = Params.FILL
                    .allocate(arena)
                    .point("dst", BoundedPointer.into(buffer, buffer.address() + 16))
                    .memory();
            assertEquals(buffer.address() + 16, written.get(ValueLayout.JAVA_LONG, 0));
            assertEquals(16, written.get(ValueLayout.JAVA_LONG, 8));
            assertEquals(24, written.get(ValueLayout.JAVA_LONG, 16));
            Params.Writer writer = Params.FILL.allocate(arena);
            assertThrows(IllegalArgumentException.class, () -> writer.set("dst", buffer.address()));
        }
    }

    @Test
    void constantsAreThoseOfTheHeader() throws IOException {
        String header = NativeHeaders.shrike();
        for (String constant : CONSTANTS) {
            assertTrue(header.contains("#define " + constant.replace('=', ' ')), constant);
        }
        assertTrue(header.contains("SHRIKE_ABI_VERSION " + NativeLibrary.ABI_VERSION + "u"));
        String acl = NativeHeaders.acl();
        assertTrue(acl.contains("SHRIKE_ACL_ABI_VERSION " + AclLibrary.ABI_VERSION + "u"));
    }

    @Test
    void fieldsAreWrittenAtTheirOffsets() {
        try (Arena arena = Arena.ofConfined()) {
            Params.Writer writer = Params.UNARY.allocate(arena).set("dims", 2, 77).set("kind", 5).setFloat("beta", 2f);
            assertEquals(77, writer.memory().get(ValueLayout.JAVA_LONG, 48 + 2 * 8));
            assertEquals(5, writer.memory().get(ValueLayout.JAVA_INT, 48 + 18 * 8 + 4));
            assertEquals(2f, writer.memory().get(ValueLayout.JAVA_FLOAT, 48 + 18 * 8 + 12));
            assertThrows(IllegalArgumentException.class, () -> writer.set("dims", 6, 1));
            assertThrows(IllegalArgumentException.class, () -> writer.set("nothing", 1));
        }
    }
}
