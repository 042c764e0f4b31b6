/**
 * Reading and drawing images, the letterbox that fits them into a network, and what models tell of their classes.
 */
package dev.shrike.vision;
