/** Shapes and constant values of whole graphs, with bounds on what finding them may cost. */
package dev.shrike.graph.inference;
