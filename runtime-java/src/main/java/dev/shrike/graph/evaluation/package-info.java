/** Evaluators of whole graphs, in floats and in integers, that say what is right. */
package dev.shrike.graph.evaluation;
