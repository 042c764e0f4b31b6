package dev.shrike.calibration.data;

import dev.shrike.Frame;
import dev.shrike.SourceException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Images to calibrate with, each of which was read once, so that none of them ends a pass of hours.
 *
 * @param images those that can be read, in order
 * @param problems those that cannot
 * @param repeated how many look the same as another one
 * @param blank how many are of one colour
 */
public record CalibrationSample(List<Path> images, List<Problem> problems, int repeated, int blank) {
    /** Fewer images than these show too little of what values a network takes. */
    public static final int FEW = 16;

    private static final int GRID = 16;
    private static final int SAME_COLOUR = 3;

    /** Hears how far the reading has come. */
    @FunctionalInterface
    public interface Progress {
        /** {@code done} of {@code total} images are read. */
        void at(Path image, int done, int total);
    }

    /**
     * At most as many of the images as wanted, at even distances. In place of one that cannot be read the next one is
     * taken that was not.
     *
     * @param all what there is to choose from
     * @param most most images to take, at least 1
     */
    public static CalibrationSample choose(List<Path> all, int most, Progress progress) {
        int count = Math.min(most, all.size());
        Reading reading = new Reading();
        for (int i = 0; i < count; i++) {
            int from = (int) ((long) i * all.size() / count);
            int next = (int) ((long) (i + 1) * all.size() / count);
            progress.at(all.get(from), i, count);
            while (from < next && !reading.take(all.get(from))) {
                from++;
            }
        }
        return reading.sample();
    }

    /** As {@link #choose}, of images that were chosen before. */
    public static CalibrationSample of(List<Path> chosen, Progress progress) {
        return choose(chosen, Integer.MAX_VALUE, progress);
    }

    /** What speaks against these images, in sentences; nothing if nothing does. */
    public List<String> warnings() {
        List<String> warnings = new ArrayList<>();
        int count = images.size();
        if (count < FEW) {
            warnings.add("only " + count + (count == 1 ? " image" : " images") + " to calibrate with: values that"
                    + " none of them shows are cut off; take some hundred like those that the model will see");
        }
        if (count > 1 && 2 * repeated >= count) {
            warnings.add(repeated + " of " + count + " images look the same as another one: they add nothing; take"
                    + " different ones");
        }
        if (2 * blank >= count && count > 0) {
            warnings.add(blank + " of " + count + " images have one colour only: the network sees nothing in them;"
                    + " take images like those that the model will see");
        }
        return List.copyOf(warnings);
    }

    private static final class Reading {
        private final List<Path> images = new ArrayList<>();
        private final List<Problem> problems = new ArrayList<>();
        private final Set<List<Integer>> looks = new HashSet<>();
        private int repeated;
        private int blank;

        boolean take(Path image) {
            try {
                look(Frame.read(image));
            } catch (SourceException e) {
                problems.add(new Problem(Problem.Kind.UNREADABLE_IMAGE, e.getMessage()));
                return false;
            }
            images.add(image);
            return true;
        }

        /** Compares what stands at the points of a grid. */
        private void look(Frame frame) {
            List<Integer> levels = new ArrayList<>(List.of(frame.width(), frame.height()));
            int[] low = {255, 255, 255};
            int[] high = {0, 0, 0};
            for (int i = 0; i < GRID * GRID; i++) {
                long x = (i % GRID) * (frame.width() - 1L) / (GRID - 1);
                long y = (i / GRID) * (frame.height() - 1L) / (GRID - 1);
                for (int channel = 0; channel < 3; channel++) {
                    int level = frame.pixels().get(ValueLayout.JAVA_BYTE, 3 * (y * frame.width() + x) + channel) & 255;
                    levels.add(level);
                    low[channel] = Math.min(low[channel], level);
                    high[channel] = Math.max(high[channel], level);
                }
            }
            repeated += looks.add(levels) ? 0 : 1;
            boolean same = true;
            for (int channel = 0; channel < 3; channel++) {
                same &= high[channel] - low[channel] <= SAME_COLOUR;
            }
            blank += same ? 1 : 0;
        }

        CalibrationSample sample() {
            return new CalibrationSample(List.copyOf(images), List.copyOf(problems), repeated, blank);
        }
    }
}
