package dev.shrike.sources;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.SourceException;
import dev.shrike.files.FileReplacement;
import dev.shrike.vision.Images;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Writes an MP4 file, H.264 where the frames are not too large for it. Frames are shown at their capture times. The
 * file appears, whole, when the writer is closed. Confined to one thread at a time.
 */
public final class VideoWriter implements AutoCloseable {
    private final Path file;
    private final Path part;
    private final int width;
    private final int height;
    private FfmpegOutput output;
    private long firstNanos;
    private long frames;

    private VideoWriter(Path file, int width, int height) {
        this.file = file;
        this.width = width;
        this.height = height;
        part = FileReplacement.temporary(file);
    }

    /**
     * A writer of frames of one size.
     *
     * @throws SourceException if the file cannot be written; names it
     */
    public static VideoWriter create(Path file, int width, int height) {
        FfmpegLibrary.require();
        VideoWriter writer = new VideoWriter(file, width, height);
        try {
            // FFmpeg would say no more than that it could not.
            Files.createFile(writer.part);
            writer.output = FfmpegOutput.create("file:" + writer.part.toAbsolutePath(), width, height);
            return writer;
        } catch (AccessDeniedException e) {
            throw new SourceException(file + ": cannot be written: permission denied", e);
        } catch (IOException | FfmpegException e) {
            writer.deletePart();
            throw new SourceException(file + ": cannot be written: " + e.getMessage(), e);
        }
    }

    /**
     * Adds a frame of any format.
     *
     * @throws IllegalArgumentException if it has another size
     * @throws SourceException if the disk is full or the like
     */
    public void write(Frame frame) {
        write(frame, frame.capturedNanos());
    }

    /**
     * Adds a frame of any format.
     *
     * @param capturedNanos when it is shown, counted from the first one's
     * @throws IllegalArgumentException if it has another size
     * @throws SourceException if the disk is full or the like
     */
    public void write(Frame frame, long capturedNanos) {
        Frame pixels = frame.format() == PixelFormat.MJPEG
                ? Images.decode(frame.pixels(), file.toString())
                : frame;
        if (pixels.width() != width || pixels.height() != height) {
            throw new IllegalArgumentException("a frame of " + pixels.width() + "x" + pixels.height()
                    + " in a video of " + width + "x" + height);
        }
        if (output == null) {
            throw new IllegalStateException("the video is closed");
        }
        if (frames++ == 0) {
            firstNanos = capturedNanos;
        }
        try {
            output.write(pixels, capturedNanos - firstNanos);
        } catch (FfmpegException e) {
            throw new SourceException(file + ": cannot be written: " + e.getMessage(), e);
        }
    }

    /** Frames that were written. */
    public long frames() {
        return frames;
    }

    /**
     * Ends the file and gives it its name; without a frame there is none.
     *
     * @throws SourceException if that cannot be done
     */
    @Override
    public void close() {
        if (output == null) {
            return;
        }
        FfmpegOutput ending = output;
        output = null;
        try (ending) {
            if (frames > 0) {
                ending.finish();
            }
        } catch (FfmpegException e) {
            deletePart();
            throw new SourceException(file + ": cannot be written: " + e.getMessage(), e);
        }
        try {
            if (frames > 0) {
                FileReplacement.rename(part, file);
            } else {
                deletePart();
            }
        } catch (IOException e) {
            throw new SourceException(file + ": cannot be written: " + e.getMessage(), e);
        }
    }

    private void deletePart() {
        try {
            Files.deleteIfExists(part);
        } catch (IOException e) {
            // What led here is told.
        }
    }
}
