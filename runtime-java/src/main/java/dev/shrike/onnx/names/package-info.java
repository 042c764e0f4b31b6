/** What reader and writer both know of names: those of operators and those of nodes and values. */
package dev.shrike.onnx.names;
