/**
 * The TensorRT engine. {@link dev.shrike.jetson.Gpu} and {@link dev.shrike.jetson.TensorRt} are the thin seam to the
 * native libraries: {@code CudaLibrary} and {@code TensorRtLibrary} implement them and are the only classes that see
 * JavaCPP's types; everything else can be tested with implementations of its own.
 */
package dev.shrike.jetson;
