/** Engines of TensorRT: what they are built from, the build with its calibration, their files and their cache. */
package dev.shrike.jetson.engine;
