/**
 * Pruning: which channels of a network depend on each other, what each of them is worth, and a smaller network without
 * those that are worth least.
 */
package dev.shrike.calibration.prune;
