package dev.shrike.vision;

import dev.shrike.BackendUnavailableException;
import dev.shrike.files.Interrupts;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgcodecs;
import org.bytedeco.opencv.global.opencv_imgproc;

/**
 * Loads OpenCV on first use. Whoever calls {@link OpenCv} asks here first: that class cannot even be linked without
 * JavaCPP, this one can, and tells what is missing.
 */
final class OpenCvLibrary {
    private OpenCvLibrary() {}

    /** Holds what went wrong, or null, so that loading is tried once and every call can tell. */
    private static final class Attempt {
        static final Throwable FAILURE = Interrupts.shield(OpenCvLibrary::load);
    }

    private static Throwable load() {
        // JavaCPP counts the memory of the whole process, weights and arenas of the engines among it, against a
        // limit it derives from the Java heap, and then fails allocations that would succeed.
        setDefault("org.bytedeco.javacpp.maxBytes");
        setDefault("org.bytedeco.javacpp.maxPhysicalBytes");
        try {
            // JavaCPP's classes initialise each other in circles, so two threads that begin with different ones
            // could wait for each other. An engine that loads JavaCPP classes takes the same lock.
            synchronized (Loader.class) {
                Loader.load(opencv_core.class);
                Loader.load(opencv_imgproc.class);
                Loader.load(opencv_imgcodecs.class);
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

    /** A thread that loads OpenCV and ends; what goes wrong is told by {@link #require}. */
    static Thread loading() {
        return Thread.ofPlatform().name("shrike-opencv").daemon().start(() -> {
            try {
                require();
            } catch (BackendUnavailableException | LinkageError e) {
                // Whoever needs it meets it again.
            }
        });
    }

    /**
     * Loads OpenCV unless it is loaded already.
     *
     * @throws BackendUnavailableException if it cannot be loaded; names the artifacts to add
     */
    static void require() {
        Throwable failure = Attempt.FAILURE;
        if (failure != null) {
            String platform = System.getProperty("os.arch").equals("aarch64") ? "linux-arm64" : "linux-x86_64";
            throw new BackendUnavailableException("reading, resizing and drawing images needs OpenCV, which did not "
                    + "load (" + failure + "): add org.bytedeco:opencv:4.6.0-1.5.8:" + platform
                    + " with org.bytedeco:openblas:0.3.21-1.5.8:" + platform + " and org.bytedeco:javacpp:1.5.8:"
                    + platform + " to the class path", failure);
        }
    }
}
