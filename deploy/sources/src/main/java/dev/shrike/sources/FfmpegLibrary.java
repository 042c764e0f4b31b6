package dev.shrike.sources;

import dev.shrike.BackendUnavailableException;
import dev.shrike.files.Interrupts;
import dev.shrike.files.PlatformArtifact;
import org.bytedeco.ffmpeg.global.avcodec;
import org.bytedeco.ffmpeg.global.avformat;
import org.bytedeco.ffmpeg.global.avutil;
import org.bytedeco.ffmpeg.global.swscale;
import org.bytedeco.javacpp.Loader;

/** Loads FFmpeg on first use. Whoever calls {@link FfmpegInput} or {@link FfmpegOutput} asks here first. */
final class FfmpegLibrary {
    private FfmpegLibrary() {}

    /** Holds what went wrong, or null. */
    private static final class Attempt {
        static final Throwable FAILURE = Interrupts.shield(FfmpegLibrary::load);
    }

    private static Throwable load() {
        try {
            synchronized (Loader.class) {
                Loader.load(avutil.class);
                Loader.load(avcodec.class);
                Loader.load(avformat.class);
                Loader.load(swscale.class);
                // FFmpeg's own log has URIs with passwords in it, whole or in part; what went wrong is told by codes.
                avutil.av_log_set_level(avutil.AV_LOG_QUIET);
            }
            return null;
        } catch (LinkageError | RuntimeException e) {
            return e;
        }
    }

    /**
     * Loads FFmpeg unless it is loaded already.
     *
     * @throws BackendUnavailableException if it cannot be loaded; names the artifacts to add
     */
    static void require() {
        Throwable failure = Attempt.FAILURE;
        if (failure != null) {
            throw new BackendUnavailableException("streams and videos need FFmpeg, which did not load (" + failure
                    + "): " + PlatformArtifact.advice(), failure);
        }
    }
}
