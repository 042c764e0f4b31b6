package dev.shrike.jetson;

import dev.shrike.Frame;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.spi.LetterboxParams;
import dev.shrike.vision.LetterboxTransform;
import dev.shrike.vision.Preprocessing;
import java.util.List;

/** Frames fitted as YOLOv5 wants them. */
final class Fitted {
    private Fitted() {}

    /** Where the whole frame goes in an input of that size. */
    static LetterboxParams params(Frame frame, int width, int height) {
        return LetterboxTransform.of(frame.width(), frame.height(), width, height)
                .params(Preprocessing.YOLO, width, height);
    }

    /** Gives the executor the frame as its first image; what the executor answers. */
    static boolean accept(GraphExecutor executor, Frame frame) {
        List<Integer> dims = executor.inputs().getFirst().dims();
        return executor.accept(frame, params(frame, dims.get(3), dims.get(2)), 0);
    }
}
