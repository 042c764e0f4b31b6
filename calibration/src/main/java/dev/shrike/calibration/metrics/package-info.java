/** How good detections are: COCO's twelve figures, YOLOv5's precision, recall and mAP, and the confusion matrix. */
package dev.shrike.calibration.metrics;
