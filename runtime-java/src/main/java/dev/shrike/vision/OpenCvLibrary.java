package dev.shrike.vision;

import dev.shrike.BackendUnavailableException;
import dev.shrike.DeviceException;
import dev.shrike.files.Interrupts;
import dev.shrike.files.PlatformArtifact;
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

    /**
     * The error for memory that was refused. JavaCPP refuses it when the whole process has more than its limit, which
     * it derives from the Java heap; to lift that for the process is for whoever starts it.
     */
    static DeviceException noMemory(String what, OutOfMemoryError e) {
        return new DeviceException(what + ": out of memory (" + e.getMessage() + "); give Java a larger heap (-Xmx), or"
                + " start it with -Dorg.bytedeco.javacpp.maxPhysicalBytes=0 -Dorg.bytedeco.javacpp.maxBytes=0, so that"
                + " JavaCPP sets no limit", e);
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
            throw new BackendUnavailableException("reading, resizing and drawing images needs OpenCV, which did not "
                    + "load (" + failure + "): " + PlatformArtifact.advice(), failure);
        }
    }
}
