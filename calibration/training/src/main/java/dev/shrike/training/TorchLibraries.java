package dev.shrike.training;

import dev.shrike.files.FileDigest;
import dev.shrike.files.FileReplacement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * PyTorch's libraries for Java, which are no part of Shrike: 114 MB that are fetched when somebody trains for the first
 * time, by the machine's own Maven and from wherever that is set up to. They lie in
 * {@code ${XDG_CACHE_HOME:-~/.cache}/shrike/torch-VERSION}. A folder of one's own, in the environment variable
 * {@code SHRIKE_TORCH}, takes their place: for machines without a network, and for the libraries with CUDA.
 */
public final class TorchLibraries {
    /** Version of {@code org.bytedeco:pytorch}. */
    public static final String VERSION = "2.10.0-1.5.13";

    /** Jars and libraries taken out of them, with some room. */
    private static final long ROOM = 700_000_000;
    /** Set once all sums were right, so that they are not computed at every start. */
    private static final String CHECKED = "checked";

    private static final List<TorchJar> JARS = List.of(
            new TorchJar("javacpp", "1.5.13", "", 526_511,
                    "077f27d663cc928adce43e912a90ec06f97f92f120ca02d414735ae0fb1c743c"),
            new TorchJar("javacpp", "1.5.13", "linux-x86_64", 47_471,
                    "b7ebf6240c4025681b5fe868cc2d4cb166cf297824e55f25396f8465d48d8244"),
            new TorchJar("openblas", "0.3.31-1.5.13", "", 338_411,
                    "587c44a3b8dc5c0383d829577aa293a799bc2131724fa51b675e4d93e4a5a34e"),
            new TorchJar("openblas", "0.3.31-1.5.13", "linux-x86_64", 19_701_299,
                    "7a5e1494e0565b6e06a5d93f8b29993c9ed33239cb9ffab84909360f245b4688"),
            new TorchJar("pytorch", VERSION, "", 2_175_739,
                    "d6568c04715ba67aa98139310dbaaa5e6d6ed481328a9571eb1071dd5b4bc32a"),
            new TorchJar("pytorch", VERSION, "linux-x86_64", 90_245_300,
                    "67e9b5b7c2caf2e6ed0e81947f1ff712c9a0755faeff6a0c3436d4432a25cc06"));

    private final Path folder;
    private final boolean own;

    private TorchLibraries(Path folder, boolean own) {
        this.folder = folder;
        this.own = own;
    }

    /** The libraries of this machine and user, whether they are there or not. */
    public static TorchLibraries ofMachine() {
        return of(System.getenv("SHRIKE_TORCH"), System.getenv("XDG_CACHE_HOME"), System.getProperty("user.home"));
    }

    static TorchLibraries of(String own, String cache, String home) {
        if (own != null && !own.isEmpty()) {
            return new TorchLibraries(Path.of(own), true);
        }
        boolean named = cache != null && !cache.isEmpty() && Path.of(cache).isAbsolute();
        if (!named && (home == null || home.isEmpty() || home.equals("?"))) {
            throw new TrainingException("this user has no home folder to keep PyTorch in: set XDG_CACHE_HOME to a"
                    + " folder that can be written");
        }
        Path root = named ? Path.of(cache) : Path.of(home, ".cache");
        return new TorchLibraries(root.resolve("shrike").resolve("torch-" + VERSION), false);
    }

    /**
     * Returns if PyTorch exists for a machine.
     *
     * @throws TrainingException otherwise; says where it does
     */
    public static void requireMachine(String system, String architecture) {
        boolean linux = system.toLowerCase(Locale.ROOT).startsWith("linux");
        if (!linux || !architecture.equals("amd64") && !architecture.equals("x86_64")) {
            throw new TrainingException("PyTorch's libraries for Java exist for Linux on x86_64 alone, this machine is "
                    + system + " on " + architecture + ": train on a PC, and bring the ONNX file here");
        }
    }

    /** Whether all is there. */
    public boolean arePresent() {
        return own ? Files.isDirectory(folder)
                : Files.exists(folder.resolve(CHECKED))
                        && JARS.stream().allMatch(jar -> size(folder.resolve(jar.fileName())) == jar.bytes());
    }

    private static long size(Path file) {
        try {
            return Files.isRegularFile(file) ? Files.size(file) : -1;
        } catch (IOException e) {
            // As good as missing: it is fetched again.
            return -1;
        }
    }

    /** Megabytes that are fetched. */
    public static long megabytes() {
        return Math.ceilDiv(JARS.stream().mapToLong(TorchJar::bytes).sum(), 1_000_000);
    }

    /** Folder of the jars. */
    public Path folder() {
        return folder;
    }

    /** Folder for libraries that are taken out of the jars. */
    public Path natives() {
        return own ? ofCache().natives() : folder.resolve("natives");
    }

    private static TorchLibraries ofCache() {
        return of(null, System.getenv("XDG_CACHE_HOME"), System.getProperty("user.home"));
    }

    /**
     * The jars, once they are there.
     *
     * @param fetch whether they may be fetched
     * @param notes told what goes on
     * @throws TrainingException if they are missing and may not or cannot be fetched, or are not what they should be
     */
    public List<Path> require(boolean fetch, Consumer<String> notes) {
        requireMachine(System.getProperty("os.name"), System.getProperty("os.arch"));
        if (own) {
            return ownJars();
        }
        if (!arePresent()) {
            if (!fetch) {
                throw new TrainingException("training needs PyTorch " + VERSION + ", which is not in " + folder
                        + ": give --fetch, which has Maven fetch its " + megabytes() + " MB, or set SHRIKE_TORCH to a"
                        + " folder with its jars");
            }
            fetch(notes);
        }
        return JARS.stream().map(jar -> folder.resolve(jar.fileName())).toList();
    }

    private List<Path> ownJars() {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> jars = files.filter(file -> file.toString().endsWith(".jar")).sorted().toList();
            for (String name : List.of("javacpp-", "openblas-", "pytorch-")) {
                if (jars.stream().noneMatch(jar -> jar.getFileName().toString().startsWith(name))) {
                    throw new TrainingException("SHRIKE_TORCH: the folder " + folder + " has no " + name + "….jar;"
                            + " it needs " + String.join(", ", names()));
                }
            }
            return jars;
        } catch (IOException e) {
            throw new TrainingException("SHRIKE_TORCH: the folder " + folder + " cannot be listed: " + e, e);
        }
    }

    private static List<String> names() {
        return JARS.stream().map(TorchJar::fileName).toList();
    }

    private void fetch(Consumer<String> notes) {
        try {
            Files.createDirectories(folder);
            long room = Files.getFileStore(folder).getUsableSpace();
            if (room < ROOM) {
                throw new TrainingException(folder + ": PyTorch takes " + ROOM / 1_000_000 + " MB, and "
                        + room / 1_000_000
                        + " MB are free; free some space or set XDG_CACHE_HOME to a folder on another"
                        + " disk");
            }
            notes.accept("fetching PyTorch " + VERSION + ", " + megabytes() + " MB, with Maven into " + folder);
            new MavenClient("mvn").copy(JARS, folder);
            for (TorchJar jar : JARS) {
                check(jar);
            }
            FileReplacement.write(folder.resolve(CHECKED), stream -> {});
        } catch (IOException e) {
            throw new TrainingException(folder + ": PyTorch cannot be kept there: " + e + "; check permissions and free"
                    + " space, or set XDG_CACHE_HOME to another folder", e);
        }
    }

    private void check(TorchJar jar) throws IOException {
        Path file = folder.resolve(jar.fileName());
        String actual = Files.exists(file) ? FileDigest.sha256(file) : "none";
        if (!actual.equals(jar.sha256())) {
            Files.deleteIfExists(file);
            throw new TrainingException(jar.fileName() + " is not the one that was expected and was thrown away"
                    + " (SHA-256 " + actual + ", expected " + jar.sha256() + "): the repository that Maven is set up"
                    + " with serves other content, or its local copy is damaged (mvn help:effective-settings)");
        }
    }

    /** The class path of the child: the jars of PyTorch and, of a path, what is not of another line of JavaCPP. */
    static List<Path> classPath(List<Path> jars, List<Path> own) {
        List<Path> all = new ArrayList<>(jars);
        for (Path entry : own) {
            String name = String.valueOf(entry.getFileName());
            boolean other = Stream.of("javacpp-", "openblas-", "opencv-", "dnnl-", "opencl-", "cuda-", "tensorrt-",
                    "ffmpeg-", "pytorch-").anyMatch(name::startsWith) && name.endsWith(".jar");
            if (!other) {
                all.add(entry);
            }
        }
        return all;
    }
}
