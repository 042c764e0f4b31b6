package dev.shrike.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import dev.shrike.ModelException;
import dev.shrike.files.FileContents;
import dev.shrike.files.Interrupts;
import dev.shrike.onnx.proto.Onnx.ModelProto;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The bytes of a model and what they look like. */
final class ModelSource {
    // Shrike's schema nests eight deep; the rest is room for the unknown groups of a future one. What is deeper is
    // hostile, and must not reach the end of the stack of a small thread.
    private static final int DEEPEST_NESTING = 64;

    private ModelSource() {}

    /** The bytes of a file, a copy. */
    static ByteBuffer read(Path file) {
        if (Files.notExists(file)) {
            throw new ModelException("does not exist; check the path");
        }
        if (Files.isDirectory(file)) {
            throw new ModelException("is a folder, not a model; name the .onnx file in it");
        }
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new ModelException("is not a regular file");
        }
        try (FileChannel channel = FileChannel.open(file)) {
            long size = channel.size();
            if (size == 0) {
                throw new ModelException("is empty (0 bytes); download or export it again");
            }
            if (size > Integer.MAX_VALUE) {
                throw new ModelException("has " + size + " bytes, an ONNX file cannot exceed 2 GiB; save the weights as"
                        + " external data");
            }
            return FileContents.read(channel, 0, size).asByteBuffer();
        } catch (AccessDeniedException e) {
            throw new ModelException("may not be read: permission denied", e);
        } catch (IOException e) {
            Interrupts.require(file + ": reading it", e);
            throw new ModelException("cannot be read: " + e, e);
        }
    }

    /** The message in these bytes; its raw tensors are views of the buffer where that is direct or an array. */
    static ModelProto parse(ByteBuffer bytes) {
        ByteString string = UnsafeByteOperations.unsafeWrap(bytes);
        CodedInputStream input = string.newCodedInput();
        input.enableAliasing(true);
        input.setRecursionLimit(DEEPEST_NESTING);
        input.setSizeLimit(Integer.MAX_VALUE);
        try {
            ModelProto model = ModelProto.parseFrom(input);
            if (!model.hasGraph()) {
                throw new ModelException("is not an ONNX model: it holds no graph" + hint(bytes));
            }
            return model;
        } catch (InvalidProtocolBufferException e) {
            throw new ModelException("is not an ONNX model, or damaged or cut off: parsing failed at byte "
                    + input.getTotalBytesRead() + " of " + bytes.remaining() + " (" + e.getMessage() + ")"
                    + hint(bytes),
                    e);
        } catch (IOException e) {
            throw new ModelException("cannot be parsed: " + e.getMessage(), e);
        }
    }

    private static String hint(ByteBuffer bytes) {
        byte[] head = new byte[Math.min(16, bytes.remaining())];
        bytes.get(bytes.position(), head);
        String text = new String(head, StandardCharsets.ISO_8859_1);
        if (text.startsWith("\u00ff\u00d8\u00ff") || text.startsWith("\u0089PNG") || text.startsWith("BM")) {
            return "; this is an image: give it as the source and an .onnx file as the model";
        }
        if (text.startsWith("PK")) {
            return "; this is a zip archive, perhaps a PyTorch checkpoint: export it with 'yolo export model=FILE.pt"
                    + " format=onnx'";
        }
        if (text.startsWith("version https")) {
            return "; this is a Git LFS pointer: fetch the file itself with 'git lfs pull'";
        }
        if (text.chars().allMatch(c -> c >= 32 && c < 127 || c == '\n' || c == '\r' || c == '\t')) {
            return "; this is text: perhaps a failed download, fetch it again";
        }
        return "; download or export it again";
    }
}
