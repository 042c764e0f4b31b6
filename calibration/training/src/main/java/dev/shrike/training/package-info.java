/** Training of networks that the graph holds: ONNX in, ONNX out. */
package dev.shrike.training;
