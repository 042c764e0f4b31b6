/** The {@code .shrike} file: layout, header and packed constants. */
package dev.shrike.cpu.file;
