package dev.shrike.jetson;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.Frame;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** What tests of batches look at. */
final class Batched {
    private Batched() {}

    /** Frames of noise, each of another size. */
    static List<Frame> frames(int count) {
        Random random = new Random(12);
        List<Frame> frames = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Frame frame = Frame.allocate(20 + random.nextInt(100), 20 + random.nextInt(100));
            byte[] bytes = new byte[3 * frame.width() * frame.height()];
            random.nextBytes(bytes);
            MemorySegment.copy(bytes, 0, frame.pixels(), ValueLayout.JAVA_BYTE, 0, bytes.length);
            frames.add(frame);
        }
        return frames;
    }

    /** What was found in each frame, in a form that can be compared. */
    static List<List<Detection>> lists(List<Detections> found) {
        return found.stream().map(Detections::list).toList();
    }
}
