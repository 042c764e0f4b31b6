package dev.shrike.sources;

import dev.shrike.SourceException;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * What gives the frames of a camera on the CSI: a program of the board's maker, which writes I420 to a pipe.
 *
 * @param command the program and its arguments; nothing secret, everybody can see them
 * @param width of the frames in pixels
 * @param height of the frames
 */
record CsiCamera(List<String> command, int width, int height) {
    private static final int USUAL_WIDTH = 1280;
    private static final int USUAL_HEIGHT = 720;
    private static final double USUAL_RATE = 30;
    /** What Broadcom's image processor rounds rows up to; the program writes them with their padding. */
    private static final int PI_ALIGNMENT = 64;
    private static final int JETSON_ALIGNMENT = 8;

    CsiCamera {
        command = List.copyOf(command);
    }

    /**
     * The program for the board that this is.
     *
     * @param root of the file system
     * @param searchPath the folders of programs, as in {@code PATH}
     * @throws SourceException if there is none, or the size cannot be had
     */
    static CsiCamera find(int number, SourceOptions options, Path root, String searchPath) {
        int width = options.width() == 0 ? USUAL_WIDTH : options.width();
        int height = options.width() == 0 ? USUAL_HEIGHT : options.height();
        double rate = options.rate() == 0 ? USUAL_RATE : options.rate();
        String name = "csi://" + number;
        if (Files.exists(root.resolve("etc/nv_tegra_release"))) {
            if (!has(searchPath, "gst-launch-1.0")) {
                throw new SourceException(name + ": needs gst-launch-1.0: sudo apt-get install gstreamer1.0-tools");
            }
            require(name, width, height, JETSON_ALIGNMENT);
            return new CsiCamera(jetson(number, width, height, rate), width, height);
        }
        for (String program : List.of("rpicam-vid", "libcamera-vid")) {
            if (has(searchPath, program)) {
                require(name, width, height, PI_ALIGNMENT);
                return new CsiCamera(pi(program, number, width, height, rate), width, height);
            }
        }
        throw new SourceException(name + ": needs rpicam-vid, which Raspberry Pi OS has in rpicam-apps-lite (sudo"
                + " apt-get install rpicam-apps-lite), or a Jetson with gst-launch-1.0");
    }

    private static List<String> pi(String program, int number, int width, int height, double rate) {
        return List.of(program, "--camera", Integer.toString(number), "--nopreview", "--timeout", "0", "--codec",
                "yuv420", "--width", Integer.toString(width), "--height", Integer.toString(height), "--framerate",
                String.format(Locale.ROOT, "%.3f", rate), "--flush", "--output", "-");
    }

    /** NVIDIA's element writes words to the standard output, so the frames go where that was before. */
    private static List<String> jetson(int number, int width, int height, double rate) {
        return List.of("sh", "-c", "exec 3>&1 1>&2; exec \"$@\"", "sh", "gst-launch-1.0", "-q", "nvarguscamerasrc",
                "sensor-id=" + number, "!",
                String.format(Locale.ROOT, "video/x-raw(memory:NVMM),width=%d,height=%d,framerate=%d/1000,format=NV12",
                        width, height, Math.round(rate * 1000)),
                "!", "nvvidconv", "!", "video/x-raw,format=I420", "!", "fdsink", "fd=3");
    }

    /** Name of the program, for people. */
    String program() {
        return command.getFirst().equals("sh") ? command.get(4) : command.getFirst();
    }

    private static void require(String name, int width, int height, int alignment) {
        if (width % alignment != 0 || height % 2 != 0) {
            throw new SourceException(name + ": the width of a frame is a multiple of " + alignment
                    + " here and the height is even, not " + width + "x" + height);
        }
    }

    private static boolean has(String searchPath, String program) {
        for (String folder : searchPath.split(File.pathSeparator)) {
            if (!folder.isEmpty() && Files.isExecutable(Path.of(folder, program))) {
                return true;
            }
        }
        return false;
    }
}
