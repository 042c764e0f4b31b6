/** What is seen of values of networks, and which codes follow from it. */
package dev.shrike.calibration.ranges;
