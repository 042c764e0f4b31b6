/** What a network is trained on: images read, augmented and batched, the same ones for the same seed and epoch. */
package dev.shrike.training.data;
