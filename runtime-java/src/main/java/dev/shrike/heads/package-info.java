/**
 * From what a detection network writes to boxes: the forms of its outputs, the checks that a form fits, and
 * non-maximum suppression.
 */
package dev.shrike.heads;
