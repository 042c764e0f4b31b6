package dev.shrike.jetson.binding;

import dev.shrike.BackendUnavailableException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Says which package has a library that did not load. The names of packages are those of JetPack 5. */
public final class MissingLibraries {
    /** What the dynamic linker says of a library that it cannot find, open or use. */
    private static final Pattern LIBRARY = Pattern.compile("(lib[\\w+-]+\\.so[.\\d]*)");

    private static final Pattern JNI = Pattern.compile("no (jni\\w+) in java\\.library\\.path");

    /** Beginnings of library names, the longer first, and the packages that hold them. */
    private static final Map<String, String> PACKAGES = packages();

    private static final int INSUFFICIENT_DRIVER = 35;
    private static final int NO_DEVICE = 100;
    private static final int NOT_PERMITTED = 800;
    private static final int SYSTEM_DRIVER_MISMATCH = 803;

    private MissingLibraries() {}

    private static Map<String, String> packages() {
        Map<String, String> packages = new LinkedHashMap<>();
        packages.put("libcuda.so", "the driver: nvidia-l4t-cuda on a Jetson, NVIDIA's driver elsewhere");
        packages.put("libcudart", "cuda-cudart-11-4");
        packages.put("libnvrtc", "cuda-nvrtc-11-4");
        packages.put("libcublas", "libcublas-11-4");
        packages.put("libcudnn", "libcudnn8");
        packages.put("libnvinfer_plugin", "libnvinfer-plugin8");
        packages.put("libnvinfer", "libnvinfer8");
        packages.put("libnvonnxparser", "libnvonnxparsers8");
        packages.put("libnvparsers", "libnvparsers8");
        packages.put("libnvdla", "nvidia-l4t-dla-compiler");
        return packages;
    }

    /** The exception for a library that failed to load. */
    public static BackendUnavailableException explain(String what, Throwable failure) {
        StringBuilder texts = new StringBuilder();
        for (Throwable cause = failure; cause != null && texts.length() < 4000; cause = cause.getCause()) {
            texts.append(cause.getMessage()).append(' ');
        }
        return new BackendUnavailableException(
                what + " does not load: " + firstLine(failure) + "; " + advice(texts.toString()), failure);
    }

    /** What to install, from the linker's words. */
    static String advice(String message) {
        Matcher library = LIBRARY.matcher(message);
        while (library.find()) {
            String name = library.group(1);
            // A JNI library is named as well when one that it needs is missing.
            if (name.startsWith("libjni")) {
                continue;
            }
            for (Map.Entry<String, String> entry : PACKAGES.entrySet()) {
                if (name.startsWith(entry.getKey())) {
                    return name + " is in " + entry.getValue() + ": sudo apt-get install nvidia-jetpack brings all that"
                            + " is needed on a Jetson with JetPack 5";
                }
            }
        }
        Matcher jni = JNI.matcher(message);
        if (jni.find() || message.contains("org/bytedeco") || message.contains("org.bytedeco")) {
            return "add org.bytedeco:cuda:11.8-8.6-1.5.8 and org.bytedeco:tensorrt:8.4-1.5.8 with the classifier "
                    + platform() + " to the class or module path";
        }
        return "on a Jetson: sudo apt-get install nvidia-jetpack";
    }

    /** What to do about an error of {@code cudaGetDeviceCount}. */
    static String driverAdvice(int error) {
        return switch (error) {
            case INSUFFICIENT_DRIVER -> "no driver is loaded, or it is older than the CUDA libraries: on a Jetson"
                    + " install JetPack 5, elsewhere a newer NVIDIA driver";
            case 0, NO_DEVICE -> "this machine has no NVIDIA GPU, or /dev/nvhost-* (Jetson) or /dev/nvidia* cannot be"
                    + " opened: add the user to the group 'video', and give a container the GPU";
            case NOT_PERMITTED, SYSTEM_DRIVER_MISMATCH -> "the driver and its user-space libraries differ: restart"
                    + " after an update, or take the libraries of a container away";
            default -> "see dmesg for the driver's own words; restarting the machine often helps";
        };
    }

    private static String platform() {
        return System.getProperty("os.arch").equals("aarch64") ? "linux-arm64" : "linux-x86_64";
    }

    private static String firstLine(Throwable failure) {
        String text = String.valueOf(failure.getMessage());
        return text.lines().findFirst().orElse(failure.getClass().getSimpleName());
    }
}
