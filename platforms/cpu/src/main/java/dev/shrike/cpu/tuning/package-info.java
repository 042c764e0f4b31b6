/** The choice of a kernel for each layer, by measuring on this very processor. */
package dev.shrike.cpu.tuning;
