/** Plans: layout, one arena, and the steps of each operation. */
package dev.shrike.cpu.plan;
