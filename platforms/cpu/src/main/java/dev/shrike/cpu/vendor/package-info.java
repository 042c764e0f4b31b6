/** Convolutions by other libraries: oneDNN and ARM Compute Library. */
package dev.shrike.cpu.vendor;
