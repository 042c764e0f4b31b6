/** The CUDA kernels of this module: frames as inputs, candidates out of outputs. */
package dev.shrike.jetson.kernels;
