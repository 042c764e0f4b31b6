/** Values of networks on pictures: reading, keeping and cutting out. */
package dev.shrike.calibration.activations;
