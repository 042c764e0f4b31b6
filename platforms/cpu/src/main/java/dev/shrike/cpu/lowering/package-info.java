/** Graphs as networks of operations on codes and on floats, with explicit steps between the two. */
package dev.shrike.cpu.lowering;
