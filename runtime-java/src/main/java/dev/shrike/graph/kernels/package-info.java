/** What each operator computes, element by element, for constants and for the evaluators. */
package dev.shrike.graph.kernels;
