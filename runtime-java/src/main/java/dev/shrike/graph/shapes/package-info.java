/** Types and shapes of what each operator gives. */
package dev.shrike.graph.shapes;
