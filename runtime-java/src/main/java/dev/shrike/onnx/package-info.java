/** Reads and writes ONNX models. */
package dev.shrike.onnx;
