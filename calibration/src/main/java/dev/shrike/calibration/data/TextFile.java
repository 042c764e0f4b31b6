package dev.shrike.calibration.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/** Reads text as editors of all systems write it: with or without a byte order mark, lines ended in any way. */
final class TextFile {
    private static final long MOST_BYTES = 256L << 20;
    private static final char MARK = '\uFEFF';

    private TextFile() {}

    /**
     * The text of a file in UTF-8, or in UTF-16 where it begins with the mark of that.
     *
     * @throws DataSetException if it is missing, cannot be read, is no such text or far too long
     */
    static String read(Path file) {
        try {
            if (Files.size(file) > MOST_BYTES) {
                throw new DataSetException(file + ": has " + Files.size(file) + " bytes, too many for such a file");
            }
            byte[] bytes = Files.readAllBytes(file);
            String text = charset(bytes).newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            return !text.isEmpty() && text.charAt(0) == MARK ? text.substring(1) : text;
        } catch (NoSuchFileException e) {
            throw new DataSetException(file + ": no such file", e);
        } catch (CharacterCodingException e) {
            throw new DataSetException(file + ": is no text in UTF-8", e);
        } catch (IOException e) {
            throw new DataSetException(file + ": cannot be read: " + e, e);
        }
    }

    /** As {@link #read}, by lines, without blanks around them. */
    static List<String> lines(Path file) {
        return read(file).lines().map(TextFile::stripped).toList();
    }

    /** Marks also come in the middle, where files were joined. */
    private static String stripped(String line) {
        return line.replace(String.valueOf(MARK), "").strip();
    }

    private static Charset charset(byte[] bytes) {
        if (bytes.length >= 2 && (bytes[0] == (byte) 0xff && bytes[1] == (byte) 0xfe
                || bytes[0] == (byte) 0xfe && bytes[1] == (byte) 0xff)) {
            return StandardCharsets.UTF_16;
        }
        return StandardCharsets.UTF_8;
    }
}
