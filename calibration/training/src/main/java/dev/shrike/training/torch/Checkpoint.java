package dev.shrike.training.torch;

import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.files.FileReplacement;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * All that a run needs to go on after an epoch: parameters, statistics, their averages, and the state of the optimiser
 * in
 * a file beside it. Written so that there is always a whole one.
 */
final class Checkpoint {
    private static final int MAGIC = 0x53484b54;
    private static final int VERSION = 1;
    private static final String FILE = "checkpoint.bin";

    private final Path folder;

    Checkpoint(Path folder) {
        this.folder = folder;
    }

    /** Whether there is one. */
    boolean exists() {
        return Files.isRegularFile(folder.resolve(FILE));
    }

    private static Map<String, Tensor> tensors(TorchNetwork network, WeightAverage average) {
        Map<String, Tensor> all = new LinkedHashMap<>();
        network.parameters().forEach((name, tensor) -> all.put("parameter/" + name, tensor));
        network.buffers().forEach((name, tensor) -> all.put("buffer/" + name, tensor));
        average.averages().forEach((name, tensor) -> all.put("average/" + name, tensor));
        return all;
    }

    /** Writes the state after so many epochs. */
    void write(int epochs, TorchNetwork network, WeightAverage average, Optimization optimization) {
        Path optimizer = optimizer(epochs);
        save(optimization, optimizer);
        FileReplacement.write(folder.resolve(FILE), stream -> {
            DataOutputStream out = new DataOutputStream(stream);
            out.writeInt(MAGIC);
            out.writeInt(VERSION);
            out.writeInt(epochs);
            out.writeLong(average.steps());
            Map<String, Tensor> all = tensors(network, average);
            out.writeInt(all.size());
            for (Map.Entry<String, Tensor> entry : all.entrySet()) {
                float[] values = Tensors.toFloats(entry.getValue());
                out.writeUTF(entry.getKey());
                out.writeInt(values.length);
                ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES));
                bytes.asFloatBuffer().put(values);
                out.write(bytes.array());
            }
            out.flush();
        });
        deleteOthers(folder, "optimizer-*.pt", optimizer);
    }

    private void save(Optimization optimization, Path file) {
        try {
            optimization.save(file);
        } catch (RuntimeException e) {
            throw new ShrikeException(file + ": cannot be written: " + TrainingMain.message(e) + "; check free space"
                    + " and permissions of " + folder, e);
        }
    }

    private Path optimizer(int epochs) {
        return folder.resolve("optimizer-" + epochs + ".pt");
    }

    /** Deletes the files of earlier epochs. */
    static void deleteOthers(Path folder, String pattern, Path current) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, pattern)) {
            for (Path file : files) {
                if (!file.equals(current)) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            // What stays behind takes room and does no harm.
            System.getLogger(Checkpoint.class.getName()).log(System.Logger.Level.DEBUG, "a file of an earlier epoch",
                    e);
        }
    }

    /**
     * Restores the state; the number of epochs that are done.
     *
     * @throws ModelException if the file is broken or of another network
     */
    int read(TorchNetwork network, WeightAverage average, Optimization optimization) {
        Path file = folder.resolve(FILE);
        try (DataInputStream in = new DataInputStream(
                new java.io.BufferedInputStream(Files.newInputStream(file)))) {
            if (in.readInt() != MAGIC || in.readInt() != VERSION) {
                throw new ModelException(file + ": is no checkpoint; delete the folder and begin anew");
            }
            int epochs = in.readInt();
            average.steps(in.readLong());
            Map<String, Tensor> all = tensors(network, average);
            int count = in.readInt();
            if (count != all.size()) {
                throw other(file);
            }
            for (int i = 0; i < count; i++) {
                Tensor tensor = all.get(in.readUTF());
                int size = in.readInt();
                if (tensor == null || tensor.numel() != size) {
                    throw other(file);
                }
                set(tensor, ByteBuffer.wrap(in.readNBytes(Math.multiplyExact(size, Float.BYTES))), size);
            }
            optimization.load(optimizer(epochs));
            return epochs;
        } catch (IOException e) {
            throw new ModelException(file + ": cannot be read: " + e + "; delete it and begin anew", e);
        }
    }

    private static ModelException other(Path file) {
        return new ModelException(file + ": is of another network; begin anew without --resume");
    }

    private static void set(Tensor tensor, ByteBuffer bytes, int size) throws IOException {
        if (bytes.remaining() != size * Float.BYTES) {
            throw new IOException("it is cut off");
        }
        float[] values = new float[size];
        bytes.asFloatBuffer().get(values);
        try (PointerScope _ = new PointerScope(); NoGradGuard _ = new NoGradGuard()) {
            tensor.detach().copy_(Tensors.of(values, tensor.shape()));
        }
    }
}
