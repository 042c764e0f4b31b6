/**
 * The TensorRT engine behind {@link dev.shrike.spi.Backend}: gets an engine for a network from a file, the cache or the
 * builder, and opens it. Stands on {@code execution}, which stands on {@code engine} and {@code kernels}, and these on
 * {@code binding}.
 */
package dev.shrike.jetson;
