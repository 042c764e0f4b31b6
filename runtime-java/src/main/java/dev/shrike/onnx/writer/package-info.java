/** Graphs as ONNX models. */
package dev.shrike.onnx.writer;
