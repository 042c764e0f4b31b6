/**
 * Fine-tunes a quantised network as a whole, with the float network as its teacher and straight-through gradients.
 */
package dev.shrike.calibration.training;
