/**
 * From pictures to boxes: reading and drawing pictures, the letterbox, the YOLOv5 and YOLOv8 head decoders and
 * non-maximum suppression.
 */
package dev.shrike.vision;
