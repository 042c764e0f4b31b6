/** Which channels of a network depend on each other, and the network without some of them. */
package dev.shrike.calibration.prune.channels;
