/** The C library: its functions, its structs, and where values lie in memory. */
package dev.shrike.cpu.binding;
