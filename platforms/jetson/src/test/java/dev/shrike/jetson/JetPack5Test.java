package dev.shrike.jetson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;

/** Whether what is shipped for arm64 can be loaded on JetPack 5, as far as the files themselves tell. */
class JetPack5Test {
    private static final String NEWER = "cublasSgemvBatched";

    private final JetPack5 jetPack = new JetPack5();

    private List<String> lacks(ElfBuilder library) {
        return jetPack.lacks(ElfLibrary.read(library.build()), Set.of("libbeside.so.1"));
    }

    @Test
    void readsWhatALibraryNeeds() {
        ElfLibrary library = ElfLibrary.read(new ElfBuilder().soname("libmade.so.1")
                .needs("libc.so.6", "GLIBC_2.17").needs("libm.so.6", "GLIBC_2.29").needs("libdl.so.2")
                .calls("strlen").refers("stdout").refersWeakly("__gmon_start__").build());
        assertEquals(ElfLibrary.AARCH64, library.machine());
        assertEquals("libmade.so.1", library.soname());
        assertEquals(List.of("libc.so.6", "libm.so.6", "libdl.so.2"), library.needed());
        assertEquals(List.of(new ElfLibrary.VersionNeed("libc.so.6", "GLIBC_2.17", false),
                new ElfLibrary.VersionNeed("libm.so.6", "GLIBC_2.29", false)), library.versions());
        assertEquals(Set.of(new ElfLibrary.Import("strlen", false, true),
                new ElfLibrary.Import("stdout", false, false), new ElfLibrary.Import("__gmon_start__", true, false)),
                library.imports());
    }

    @Test
    void readsALibraryOfThisMachine() throws IOException {
        Path file = Path.of(System.getProperty("java.home"), "lib", "libnet.so");
        ElfLibrary library = ElfLibrary.read(Files.readAllBytes(file));
        assertTrue(library.needed().contains("libc.so.6"), library.needed().toString());
        assertTrue(library.versions().stream().anyMatch(need -> need.version().startsWith("GLIBC_2.")));
        assertTrue(library.imports().stream().anyMatch(symbol -> symbol.symbol().equals("connect")));
    }

    @Test
    void whatJetPackHasIsNoFinding() {
        assertEquals(List.of(), lacks(new ElfBuilder().needs("libc.so.6", "GLIBC_2.31")
                .needs("libstdc++.so.6", "GLIBCXX_3.4.28").needs("libstdc++.so.6", "CXXABI_1.3.12")
                .needs("libcudart.so.11.0", "libcudart.so.11.0").needs("libnvinfer.so.8").needs("libbeside.so.1")
                .calls("cudaMalloc").refers("cudaFree").refersWeakly(NEWER)));
    }

    @Test
    void findsNewerLibrariesAndVersions() {
        assertEquals(List.of("needs libcudart.so.12"), lacks(new ElfBuilder().needs("libcudart.so.12")));
        assertEquals(List.of("needs GLIBC_2.34 of libc.so.6"),
                lacks(new ElfBuilder().needs("libc.so.6", "GLIBC_2.34")));
        assertEquals(List.of("needs GLIBCXX_3.4.29 of libstdc++.so.6"),
                lacks(new ElfBuilder().needs("libstdc++.so.6", "GLIBCXX_3.4.29")));
        assertEquals(List.of("needs CXXABI_1.3.13 of libstdc++.so.6"),
                lacks(new ElfBuilder().needs("libstdc++.so.6", "CXXABI_1.3.13")));
        assertEquals(List.of("needs GLIBC_PRIVATE of libc.so.6"),
                lacks(new ElfBuilder().needs("libc.so.6", "GLIBC_PRIVATE")));
        assertEquals(List.of("is for processor 62 instead of aarch64"),
                lacks(new ElfBuilder().machine(ElfLibrary.X86_64)));
    }

    @Test
    void newerFunctionsMayOnlyBeBoundWhenCalled() {
        List<String> finding = List.of("needs " + NEWER + " of a CUDA after 11.4 when it is loaded");
        assertEquals(List.of(), lacks(new ElfBuilder().calls(NEWER)));
        assertEquals(finding, lacks(new ElfBuilder().refers(NEWER)));
        assertEquals(finding, lacks(new ElfBuilder().calls(NEWER).tag(24, 0)), "DT_BIND_NOW");
        assertEquals(finding, lacks(new ElfBuilder().calls(NEWER).tag(30, 8)), "DF_BIND_NOW");
        assertEquals(finding, lacks(new ElfBuilder().calls(NEWER).tag(0x6ffffffbL, 1)), "DF_1_NOW");
    }

    @Test
    void versionsAreComparedByNumbers() {
        assertTrue(JetPack5.compare("3.4.9", "3.4.22") < 0);
        assertTrue(JetPack5.compare("2.4", "2.31") < 0);
        assertTrue(JetPack5.compare("2.31.1", "2.31") > 0);
        assertEquals(0, JetPack5.compare("1.3", "1.3.0"));
    }

    @Test
    void hostileFilesAreRefused() {
        byte[] good = new ElfBuilder().soname("libmade.so").needs("libc.so.6", "GLIBC_2.17").calls("strlen").build();
        for (int length = 0; length < good.length; length++) {
            byte[] cut = Arrays.copyOf(good, length);
            assertThrows(IllegalArgumentException.class, () -> ElfLibrary.read(cut), "cut to " + length);
        }
        Random random = new Random(5);
        int refused = 0;
        for (int round = 0; round < 5000; round++) {
            byte[] damaged = good.clone();
            for (int i = 0; i < 4; i++) {
                damaged[random.nextInt(good.length)] = (byte) random.nextInt(256);
            }
            try {
                ElfLibrary.read(damaged);
            } catch (IllegalArgumentException e) {
                refused++;
            }
        }
        assertTrue(refused > 200, refused + " of 5000 were refused");
    }

    @Test
    void whatIsNoLibraryOrHasEndlessTablesIsRefused() {
        assertMessage("no ELF file", new byte[100]);
        byte[] program = new ElfBuilder().build();
        program[16] = 2;
        assertMessage("no shared library", program);
        // A second entry of the same tag is not looked at: these come first.
        assertMessage("entries of a table", new ElfBuilder().tag(0x6fffffffL, Long.MAX_VALUE).build());
        assertMessage("outside of what is loaded", new ElfBuilder().tag(5, 1L << 40).soname("a").build());
        assertMessage("outside of its string table", new ElfBuilder().tag(1, 1 << 20).build());
    }

    private static void assertMessage(String expected, byte[] file) {
        String message = assertThrows(IllegalArgumentException.class, () -> ElfLibrary.read(file)).getMessage();
        assertTrue(message.contains(expected), message);
    }

    /** Our own class files, read as files: which functions of CUDA they name. */
    @Test
    void weCallNothingNewerThanCuda114() throws IOException {
        Set<String> called = new TreeSet<>();
        try (Stream<Path> files = Files.walk(Path.of("target/classes"))) {
            for (Path file : files.filter(path -> path.toString().endsWith(".class")).toList()) {
                for (PoolEntry entry : ClassFile.of().parse(file).constantPool()) {
                    if (entry instanceof MemberRefEntry member) {
                        called.add(member.name().stringValue());
                    }
                }
            }
        }
        assertTrue(called.containsAll(Set.of("cudaMemcpyAsync", "cuLaunchKernel")), called.toString());
        called.retainAll(jetPack.newerCuda());
        assertEquals(Set.of(), called);
    }

    /** All that {@code mvn -Paarch64 package} puts together for a Jetson. */
    @Test
    void thePackageLoadsOnJetPack5() throws IOException {
        String named = System.getProperty("shrike.jetpack.app");
        Path app = Path.of(named == null ? "../../deploy/app/target/aarch64/app" : named, "lib");
        assumeTrue(named != null || Files.isDirectory(app), "the program for arm64 is not built;"
                + " platforms/jetson/jetpack-check.sh builds it and runs this");
        Map<String, ElfLibrary> all = librariesBelow(app);
        Map<String, ElfLibrary> loaded = jetPack.loaded(all);
        List<String> findings = new ArrayList<>();
        Set<String> lazy = new TreeSet<>();
        loaded.forEach((name, library) -> {
            jetPack.lacks(library, all.keySet()).forEach(line -> findings.add(name + " " + line));
            library.imports().forEach(symbol -> lazy.add(symbol.symbol()));
        });
        lazy.retainAll(jetPack.newerCuda());
        System.out.println("JetPack 5: " + loaded.size() + " of " + all.size() + " libraries are loaded; newest"
                + " versions " + jetPack.newest(loaded.values()) + "; " + lazy.size()
                + " functions after CUDA 11.4, none bound at loading");
        assertEquals(List.of(), findings);
        assertFalse(lazy.isEmpty(), "the list of newer functions has nothing to do with these libraries");
    }

    /** The arm64 libraries in a folder, in its folders and in its jars, by file name. */
    private static Map<String, ElfLibrary> librariesBelow(Path folder) throws IOException {
        Map<String, ElfLibrary> found = new TreeMap<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted().toList()) {
                String name = file.getFileName().toString();
                if (name.endsWith(".jar")) {
                    readJar(file, found);
                } else if (isLibrary(name)) {
                    found.put(name, ElfLibrary.read(Files.readAllBytes(file)));
                }
            }
        }
        return found;
    }

    private static void readJar(Path jar, Map<String, ElfLibrary> found) throws IOException {
        try (ZipInputStream in = new ZipInputStream(Files.newInputStream(jar))) {
            for (ZipEntry entry; (entry = in.getNextEntry()) != null;) {
                String name = entry.getName();
                if (isLibrary(name) && name.contains("/linux-arm64/")) {
                    found.put(name.substring(name.lastIndexOf('/') + 1), ElfLibrary.read(in.readAllBytes()));
                }
            }
        }
    }

    private static boolean isLibrary(String name) {
        return name.matches(".*\\.so(\\.\\d+)*");
    }
}
