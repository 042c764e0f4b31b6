/** Data sets with genuine boxes: COCO JSON, YOLO {@code data.yaml} and files of detections. */
package dev.shrike.calibration.data;
