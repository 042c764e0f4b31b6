/** Rounding the weights of one layer to codes: GPTQ, Kronecker factors, coordinate descent. */
package dev.shrike.calibration.quantize.rounding;
