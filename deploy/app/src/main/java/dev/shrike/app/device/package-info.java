/**
 * What the files of a system say about the machine: read below a root, so that a tree of files can stand for a board.
 */
package dev.shrike.app.device;
