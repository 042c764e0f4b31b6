/** The arithmetic of quantisation: codes, scales, requantisation, as the engines compute it. */
package dev.shrike.graph.quantization;
