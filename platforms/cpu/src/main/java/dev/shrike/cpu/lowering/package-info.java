/** Quantised graphs as operations on codes, with explicit steps between codes and floats. */
package dev.shrike.cpu.lowering;
