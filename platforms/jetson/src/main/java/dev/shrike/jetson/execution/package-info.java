/** Running an engine: buffers, one stream, CUDA graphs, and where candidates are found. */
package dev.shrike.jetson.execution;
