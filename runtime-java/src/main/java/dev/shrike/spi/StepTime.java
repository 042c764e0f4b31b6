package dev.shrike.spi;

/**
 * Time of one step of the last run.
 *
 * @param node name of the graph node, or of the first of several fused ones
 * @param kernel what ran: {@code "conv f32 onednn 3x3s1 64->64"}
 * @param nanos wall time in nanoseconds
 * @param macs multiply-accumulates of the step, 0 where that says nothing
 */
public record StepTime(String node, String kernel, long nanos, long macs) {}
