/** Linear algebra of layers: moments, least squares, factors. */
package dev.shrike.calibration.linear;
