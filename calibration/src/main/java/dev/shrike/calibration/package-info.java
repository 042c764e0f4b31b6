/** Data sets, ranges, quantisation and the measurements that prove them. */
package dev.shrike.calibration;
