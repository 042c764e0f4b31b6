/** Functions from graph to graph: simplifying, fusing, and between the forms that quantisation has. */
package dev.shrike.graph.passes;
