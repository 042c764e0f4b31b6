/** Other engines that run in the same process on the same input, and results of tools that are measured elsewhere. */
package dev.shrike.app.bench.rivals;
