package dev.shrike.app.device;

import java.util.Optional;

/** Memory of this process. */
public final class ProcessMemory {
    private static final long KIBI = 1024;

    private ProcessMemory() {}

    /** Bytes that are in memory now. */
    public static Optional<Long> resident(SystemFiles files) {
        return bytes(files, "VmRSS");
    }

    /** The most bytes that ever were. */
    public static Optional<Long> peak(SystemFiles files) {
        return bytes(files, "VmHWM");
    }

    private static Optional<Long> bytes(SystemFiles files, String name) {
        return files.text("proc/self/status")
                .flatMap(text -> SystemFiles.find(text, "(?m)^" + name + ":\\s{0,16}(\\d{1,15}) kB$"))
                .map(kilobytes -> Long.parseLong(kilobytes) * KIBI);
    }
}
