package dev.shrike.sources;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Which decoders are tried before FFmpeg's usual one, which is always there in the end: the one that is asked for, and
 * on boards whose chip decodes that format the chip.
 *
 * @param model of the board, by its device tree; empty if there is none
 */
record Decoders(String model) {
    /** Of this machine. */
    static final Decoders HERE = of(Path.of("/"));

    private static final String RASPBERRY = "Raspberry Pi ";
    /** The chip of a Raspberry Pi decodes H.264 up to the fourth; the fifth has no such decoder any more. */
    private static final String WITHOUT = RASPBERRY + "5";
    private static final String H264 = "h264";
    private static final String CHIP = "h264_v4l2m2m";

    /** Of the machine whose files lie below the root. */
    static Decoders of(Path root) {
        try {
            byte[] bytes = Files.readAllBytes(root.resolve("proc/device-tree/model"));
            return new Decoders(new String(bytes, StandardCharsets.UTF_8).replace("\0", "").strip());
        } catch (IOException e) {
            return new Decoders("");
        }
    }

    /**
     * Names of the decoders to try, the first one first.
     *
     * @param wanted is asked for; empty for none
     * @param codec format of the video, as FFmpeg calls it
     */
    List<String> toTry(String wanted, String codec) {
        List<String> names = new ArrayList<>();
        if (!wanted.isEmpty()) {
            names.add(wanted);
        }
        boolean chip = model.startsWith(RASPBERRY) && !model.startsWith(WITHOUT) && !model.startsWith(RASPBERRY
                + "Compute Module 5");
        if (chip && codec.equals(H264) && wanted.isEmpty()) {
            names.add(CHIP);
        }
        return names;
    }

    /** The first of them that opens; none if the usual one is left. */
    Optional<String> first(String wanted, String codec, Predicate<String> opens) {
        return toTry(wanted, codec).stream().filter(opens).findFirst();
    }

    /** Whether a decoder hands back what was sent with a packet; those of chips lose it. */
    static boolean keepsOpaque(String name) {
        return !name.endsWith("_v4l2m2m");
    }
}
