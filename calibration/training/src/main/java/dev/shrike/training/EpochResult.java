package dev.shrike.training;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What an epoch came to.
 *
 * @param epoch number of the epoch, from 1
 * @param losses means of the loss and its parts by name, {@code total} first
 * @param rate learning rate at its end
 * @param seconds that training took, without measuring
 * @param peakMegabytes most memory of the process that trains, mapped files left out
 * @param map50 mAP at an IoU of 0.5 on the images to validate with
 * @param map mAP over IoU 0.5 to 0.95
 * @param best whether no epoch before was better
 */
public record EpochResult(int epoch, Map<String, Double> losses, double rate, double seconds, long peakMegabytes,
        double map50, double map, boolean best) {
    public EpochResult {
        losses = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(losses));
    }

    /** By what the best epoch is chosen, as in YOLOv5: a tenth of mAP50 and nine tenths of mAP. */
    public double fitness() {
        return 0.1 * map50 + 0.9 * map;
    }
}
