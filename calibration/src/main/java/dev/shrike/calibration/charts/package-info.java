/** Images of curves and confusion matrices. */
package dev.shrike.calibration.charts;
