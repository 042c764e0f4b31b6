/** What a plan is made of: steps, convolutions with their places, and the kernels that may run them. */
package dev.shrike.cpu.steps;
