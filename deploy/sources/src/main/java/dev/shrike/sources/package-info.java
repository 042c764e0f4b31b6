/** Frames from cameras, streams and files. */
package dev.shrike.sources;
