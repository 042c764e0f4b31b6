/** Quantisation-aware training: what a quantised network learns, and the way back to the graph that engines run. */
package dev.shrike.training.qat;
