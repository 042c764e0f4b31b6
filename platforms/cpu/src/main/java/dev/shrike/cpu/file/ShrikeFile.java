package dev.shrike.cpu.file;

import dev.shrike.DeviceException;
import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.files.FileContents;
import dev.shrike.files.Interrupts;
import dev.shrike.graph.Graph;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/**
 * A built model in a {@code .shrike} file: a network after its passes, on any processor. {@link FileLayout} describes
 * the file as a whole, {@link GraphRecord} its header and {@link TensorRecord} its constants.
 *
 * @param graph the network
 * @param choices what the tuner chose, by a key of its own; may be empty
 */
public record ShrikeFile(Graph graph, Map<String, String> choices) {
    /** What to do about a file that cannot be used. */
    static final String WAY_OUT = "; build it again with 'shrike build'";

    public ShrikeFile {
        choices = Map.copyOf(choices);
    }

    /** Whether the file begins as one of ours; false as well if it cannot be read. */
    public static boolean isOne(Path file) {
        if (!Files.isRegularFile(file)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(file)) {
            return Arrays.equals(in.readNBytes(FileLayout.MAGIC.length), FileLayout.MAGIC);
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * The model in a file. All of the file is read, and constants that are stored as they are stay views of these
     * bytes; what happens to the file later does not matter to the graph.
     *
     * @throws ModelException if the file cannot be read, is none of ours, is damaged anywhere, or has a newer format;
     *     names the file, what is wrong and the way out
     * @throws DeviceException if there is not enough memory to unpack it
     */
    public static ShrikeFile read(Path file) {
        return read(contents(file), file.toString());
    }

    /** As {@link #read(Path)}, from the bytes of a file. */
    public static ShrikeFile read(MemorySegment bytes, String file) {
        try {
            return read(bytes);
        } catch (ModelException e) {
            throw new ModelException(file + ": " + e.getMessage() + WAY_OUT, e);
        } catch (UnsupportedModelException e) {
            throw new UnsupportedModelException(file + ": " + e.getMessage() + WAY_OUT, e);
        } catch (DeviceException e) {
            throw new DeviceException(file + ": " + e.getMessage(), e);
        } catch (OutOfMemoryError e) {
            throw noMemory(file, e);
        }
    }

    private static DeviceException noMemory(String file, OutOfMemoryError e) {
        return new DeviceException(file + ": there is not enough memory to read it; raise the limit with -Xmx", e);
    }

    private static ShrikeFile read(MemorySegment bytes) {
        FileLayout layout = FileLayout.read(bytes);
        Fields header = Fields.parse(layout.section(bytes, FileLayout.Kind.HEADER), "header");
        Graph graph = GraphRecord.read(header, layout.section(bytes, FileLayout.Kind.CONSTANTS));
        Map<String, String> choices = layout.has(FileLayout.Kind.CHOICES)
                ? Fields.parse(layout.section(bytes, FileLayout.Kind.CHOICES), "choices").allTexts()
                : Map.of();
        return new ShrikeFile(graph, choices);
    }

    /**
     * Writes the model. The file is written beside the target under another name, then renamed; equal models give equal
     * bytes.
     *
     * @throws ShrikeException if the file cannot be written
     */
    public void write(Path file) {
        TensorRecord.Writer constants = new TensorRecord.Writer();
        byte[] header = Fields.toBytes(GraphRecord.write(graph, constants));
        FileLayout.Builder layout = new FileLayout.Builder(constants.version());
        layout.add(FileLayout.Kind.HEADER, MemorySegment.ofArray(header));
        layout.add(FileLayout.Kind.CONSTANTS, constants.pieces());
        if (!choices.isEmpty()) {
            layout.add(FileLayout.Kind.CHOICES, MemorySegment.ofArray(Fields.toBytes(choices)));
        }
        layout.write(file);
    }

    private static MemorySegment contents(Path file) {
        if (!Files.exists(file)) {
            throw new ModelException(file + ": no such file");
        }
        if (!Files.isRegularFile(file)) {
            throw new ModelException(file + ": is not a file");
        }
        try (FileChannel channel = FileChannel.open(file)) {
            return FileContents.read(channel, 0, channel.size());
        } catch (FileSystemException e) {
            throw new ModelException(file + ": cannot be read: " + e.getClass().getSimpleName() + " "
                    + e.getReason() + "; check its permissions", e);
        } catch (IOException e) {
            Interrupts.require(file + ": reading it", e);
            throw new ModelException(file + ": cannot be read: " + e.getMessage(), e);
        } catch (OutOfMemoryError e) {
            throw noMemory(file.toString(), e);
        }
    }
}
