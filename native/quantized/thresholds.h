/*
 * Thresholds of a quantised convolution (see shrike_conv2d_q_thresholds): a channel's code is `start`, less one for
 * each of the first `falls` thresholds that its sum reaches, plus one for each of the others.
 */
#ifndef SHRIKE_THRESHOLDS_H
#define SHRIKE_THRESHOLDS_H

#include <stdint.h>

enum { CONV2D_Q_MAX_THRESHOLDS = 8, CONV2D_Q_THRESHOLDS_UNIT = 16 };

typedef struct conv2d_q_thresholds {
    int32_t count, falls, start;
    int32_t out_channels;
    int32_t values[]; /* [count][stride]: INT32_MIN is reached by every sum, INT32_MAX by none */
} conv2d_q_thresholds;

static inline int64_t conv2d_q_thresholds_stride(int64_t out_channels) {
    return (out_channels + CONV2D_Q_THRESHOLDS_UNIT - 1) / CONV2D_Q_THRESHOLDS_UNIT * CONV2D_Q_THRESHOLDS_UNIT;
}

#endif
