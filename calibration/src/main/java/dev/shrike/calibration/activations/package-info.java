/** Values of networks on images: reading, keeping and cutting out. */
package dev.shrike.calibration.activations;
