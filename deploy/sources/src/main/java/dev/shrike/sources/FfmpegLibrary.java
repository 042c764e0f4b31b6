package dev.shrike.sources;

import dev.shrike.BackendUnavailableException;
import dev.shrike.files.Interrupts;
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
        // See OpenCvLibrary: JavaCPP would count the memory of the whole process against the Java heap.
        setDefault("org.bytedeco.javacpp.maxBytes");
        setDefault("org.bytedeco.javacpp.maxPhysicalBytes");
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

    private static void setDefault(String property) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, "0");
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
            String platform = System.getProperty("os.arch").equals("aarch64") ? "linux-arm64" : "linux-x86_64";
            throw new BackendUnavailableException("streams and videos need FFmpeg, which did not load (" + failure
                    + "): add org.bytedeco:ffmpeg:5.1.2-1.5.8:" + platform + " and org.bytedeco:javacpp:1.5.8:"
                    + platform + " to the class path", failure);
        }
    }
}
