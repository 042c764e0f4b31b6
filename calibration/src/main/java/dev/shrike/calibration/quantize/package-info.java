/** Quantisation after training. */
package dev.shrike.calibration.quantize;
