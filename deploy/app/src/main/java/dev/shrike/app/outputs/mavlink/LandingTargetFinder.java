package dev.shrike.app.outputs.mavlink;

import dev.shrike.Detection;
import dev.shrike.app.outputs.Message;
import dev.shrike.tracking.Track;
import java.time.Instant;
import java.util.Comparator;
import java.util.Optional;

/** Finds the landing target in what was seen, and its angles. Confined to one thread at a time. */
final class LandingTargetFinder {
    /**
     * A target as MAVLink's LANDING_TARGET has it.
     *
     * @param number of the target, 0 to 255
     * @param epochMicros when the frame was captured, on the wall clock
     * @param angleX radians from the centre of the image to the right
     * @param angleY the same downwards
     * @param sizeX radians from the left edge of the target to its right edge
     * @param sizeY the same from top to bottom
     */
    record Target(int number, long epochMicros, float angleX, float angleY, float sizeX, float sizeY) {}

    private final MavlinkSettings settings;
    private long followed;

    LandingTargetFinder(MavlinkSettings settings) {
        this.settings = settings;
    }

    /**
     * The target: the track that was it before, as long as it is detected; else the best one, or the best detection
     * where nothing is tracked. Nothing if none was detected in this very frame: an autopilot takes no guess.
     */
    Optional<Target> find(Message.FrameResult frame) {
        if (!frame.camera().equals(settings.camera())) {
            return Optional.empty();
        }
        Optional<Track> track = frame.tracks().stream()
                .filter(one -> one.isDetected(frame.capturedNanos()) && isTarget(one.box()))
                .max(Comparator.<Track>comparingInt(one -> one.id() == followed ? 1 : 0)
                        .thenComparing(one -> one.box().score()).thenComparing(one -> -one.id()));
        if (track.isPresent()) {
            followed = track.get().id();
            return Optional.of(target((int) (followed % 256), track.get().box(), frame));
        }
        if (!frame.tracks().isEmpty()) {
            return Optional.empty();
        }
        return frame.detections().list().stream().filter(this::isTarget).findFirst()
                .map(box -> target(0, box, frame));
    }

    private boolean isTarget(Detection box) {
        return box.label().equals(settings.label()) && Float.isFinite(box.width()) && Float.isFinite(box.height());
    }

    private Target target(int number, Detection box, Message.FrameResult frame) {
        int width = frame.detections().width();
        int height = frame.detections().height();
        double left = angle(box.x1(), width, settings.horizontalDegrees());
        double right = angle(box.x2(), width, settings.horizontalDegrees());
        double top = angle(box.y1(), height, settings.verticalDegrees());
        double bottom = angle(box.y2(), height, settings.verticalDegrees());
        Instant captured = frame.detections().captured();
        long micros = captured.getEpochSecond() * 1_000_000 + captured.getNano() / 1000;
        return new Target(number, micros,
                (float) angle((box.x1() + (double) box.x2()) / 2, width, settings.horizontalDegrees()),
                (float) angle((box.y1() + (double) box.y2()) / 2, height, settings.verticalDegrees()),
                (float) (right - left), (float) (bottom - top));
    }

    /** Of a pinhole camera. */
    private static double angle(double pixel, int pixels, double degrees) {
        return Math.atan((2 * pixel / pixels - 1) * Math.tan(Math.toRadians(degrees) / 2));
    }
}
