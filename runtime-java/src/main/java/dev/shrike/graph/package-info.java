/** The intermediate representation: immutable graphs of ONNX operators; quantisation is data on tensors. */
package dev.shrike.graph;
