package dev.shrike.live;

import dev.shrike.Detections;
import dev.shrike.Frame;

/**
 * What was detected in the newest frame of a source.
 *
 * @param frame the frame; it may be read until the listener returns
 * @param detections what was seen in it
 * @param ageNanos from its capture to the end of its detection; of a file, whose frames wait, that of the detection
 * @param dropped frames that were replaced by newer ones since the source was opened
 */
public record LiveResult(Frame frame, Detections detections, long ageNanos, long dropped) {}
