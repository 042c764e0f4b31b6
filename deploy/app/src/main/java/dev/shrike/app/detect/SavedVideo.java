package dev.shrike.app.detect;

import dev.shrike.Detections;
import dev.shrike.Frame;
import dev.shrike.ShrikeException;
import dev.shrike.sources.VideoWriter;
import dev.shrike.vision.Images;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What a run writes of one video, camera or stream: a video with the boxes drawn, and files for each frame named as
 * YOLOv5 names them ({@code clip_1.txt}). When the process is told to stop, the video is ended properly.
 */
final class SavedVideo implements AutoCloseable {
    private static final long FINISH_SECONDS = 10;
    private static final int LONGEST_NAME = 100;

    private final DetectRequest.Saving saving;
    private final RunFolder folder;
    private final Crops crops;
    private final Path named;
    private final String stem;
    private final ReentrantLock writing = new ReentrantLock();
    private final Thread hook;
    private VideoWriter video;
    private Frame shape;
    private boolean ended;

    SavedVideo(DetectRequest.Saving saving, RunFolder folder, Crops crops, String source) {
        this.saving = saving;
        this.folder = folder;
        this.crops = crops;
        named = Path.of(fileName(source));
        stem = folder.uniqueStem(named);
        hook = Thread.ofPlatform().unstarted(this::finishAtExit);
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** A name of a file for a source: the last part of a path, an address without its scheme and special characters. */
    static String fileName(String source) {
        String path = source.replaceFirst("^[a-z0-9+]+://", "");
        String last = path.equals(source) ? Sources.Names.name(Path.of(source)) : path.replaceFirst("[?#].*", "");
        String plain = last.replaceAll("[^\\p{L}\\p{N}. _-]", "_").replaceFirst("^\\.+", "_").strip();
        String name = plain.length() > LONGEST_NAME ? plain.substring(plain.length() - LONGEST_NAME) : plain;
        // An address has no extension: what follows its dots is not one.
        return name.isEmpty() ? "video" : path.equals(source) ? name : name + ".mp4";
    }

    /** Writes what is wanted of one frame. */
    void add(Frame frame, TrackIds.Followed followed, long number) {
        folder.write(() -> {
            writing.lock();
            try {
                if (!ended) {
                    write(frame, followed, stem + "_" + number);
                }
            } finally {
                writing.unlock();
            }
        });
    }

    private void write(Frame frame, TrackIds.Followed followed, String name) {
        Detections found = followed.found();
        if (saving.images()) {
            Frame drawn = Images.annotate(frame, followed.labelled(), saving.style());
            writer(drawn).write(drawn, frame.capturedNanos());
        }
        if (saving.labels() && found.size() > 0) {
            folder.writeText(folder.file("labels", name + ".txt"), LabelFile.text(followed, saving.scores()));
        }
        if (saving.crops()) {
            crops.write(frame, found, name);
        }
        if (saving.csv()) {
            new CsvFile(folder.file("", "predictions.csv")).append(named, found);
        }
    }

    /** The writer for frames of that size; a camera that comes back may have another one. */
    private VideoWriter writer(Frame frame) {
        if (video != null && (shape.width() != frame.width() || shape.height() != frame.height())) {
            video.close();
            video = null;
        }
        if (video == null) {
            String name = shape == null ? stem : folder.uniqueStem(named);
            video = VideoWriter.create(folder.file("", name + ".mp4"), frame.width(), frame.height());
            shape = frame;
        }
        return video;
    }

    private void finishAtExit() {
        try {
            if (writing.tryLock(FINISH_SECONDS, TimeUnit.SECONDS)) {
                finish();
            }
        } catch (InterruptedException | ShrikeException e) {
            // The process ends either way.
        }
    }

    private void finish() {
        ended = true;
        if (video != null) {
            VideoWriter last = video;
            video = null;
            last.close();
        }
    }

    @Override
    public void close() {
        writing.lock();
        try {
            finish();
        } finally {
            writing.unlock();
        }
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending already.
        }
    }
}
