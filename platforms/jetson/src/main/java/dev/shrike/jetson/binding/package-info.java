/**
 * CUDA and TensorRT. {@link dev.shrike.jetson.binding.Gpu} and {@link dev.shrike.jetson.binding.TensorRt} are the thin
 * seam: {@code CudaLibrary} and {@code TensorRtLibrary} open the libraries, and no class outside of this package sees
 * JavaCPP's types; everything else can be tested with implementations of its own.
 */
package dev.shrike.jetson.binding;
