package dev.shrike.calibration.quantize;

/**
 * What quantisation did to a layer.
 *
 * @param layer name of the node
 * @param widths of its codes
 * @param fitted error of its result, as a share of the spread of the float result, with unrounded weights
 * @param rounded the same with rounded weights
 * @param weights number of weights
 * @param entropy of their codes, in bits a weight
 */
public record LayerReport(String layer, BitWidths widths, double fitted, double rounded, long weights,
        double entropy) {}
