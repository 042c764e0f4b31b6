/*
 * Finds the sums at which a quantised convolution's output changes, by bisection over all of int32 with the very
 * formula that they stand for.
 */
#include "thresholds.h"

#include <math.h>
#include <string.h>

#include "conv2d_q_params.h"
#include "core/check.h"
#include "rounding.h"

/* Codes before the table at which the output steps, down `falls` times, then up. */
typedef struct staircase {
    int32_t count, falls, start;
    int32_t at[CONV2D_Q_MAX_THRESHOLDS];
} staircase;

static int find_steps(const shrike_conv2d_q_params *p, staircase *s) {
    int32_t last = p->table ? p->table[p->low] : p->low;
    *s = (staircase){.start = last};
    for (int32_t code = p->low + 1; code <= p->high; code++) {
        int32_t next = p->table ? p->table[code] : code;
        for (; next != last; last += next > last ? 1 : -1) {
            if (s->count == CONV2D_Q_MAX_THRESHOLDS || (next < last && s->falls < s->count)) {
                return 0;
            }
            s->falls += next < last;
            s->at[s->count++] = code;
        }
    }
    return 1;
}

/* The lowest sum whose code before the table is at least `code`: it grows with the sum. */
static int32_t first_sum(float multiplier, float offset, int32_t low, int32_t high, int32_t code) {
    int64_t below = (int64_t)INT32_MIN - 1, reached = INT32_MAX; /* no sum is INT32_MAX: that is a prime */
    while (reached - below > 1) {
        int64_t middle = below + (reached - below) / 2;
        float scaled = (float)(int32_t)middle * multiplier;
        if (round_to_code(scaled + offset, (float)low, (float)high) >= code) {
            reached = middle;
        } else {
            below = middle;
        }
    }
    return (int32_t)reached;
}

int64_t shrike_conv2d_q_thresholds_size(int32_t out_channels) {
    return out_channels < 1
               ? -1
               : (int64_t)sizeof(conv2d_q_thresholds) +
                     CONV2D_Q_MAX_THRESHOLDS * (int64_t)sizeof(int32_t) * conv2d_q_thresholds_stride(out_channels);
}

int32_t shrike_conv2d_q_thresholds(const shrike_conv2d_q_params *p, void *thresholds, int64_t bytes) {
    if (!p || !shrike_check_size(p->out_channels) ||
        !shrike_check_buffer(thresholds, bytes, shrike_conv2d_q_thresholds_size(p->out_channels), sizeof(int32_t)) ||
        !SHRIKE_CHECK_ELEMENTS(p, multiplier, p->out_channels) || !SHRIKE_CHECK_ELEMENTS(p, offset, p->out_channels) ||
        (p->table && !SHRIKE_CHECK_ELEMENTS(p, table, 256)) || p->low < 0 || p->low > p->high || p->high > 255) {
        return SHRIKE_EINVAL;
    }
    staircase s;
    if (p->output != SHRIKE_QOUT_CODES || conv2d_q_is_activated(p) || !find_steps(p, &s)) {
        return SHRIKE_EUNSUPPORTED;
    }
    for (int32_t oc = 0; oc < p->out_channels; oc++) {
        if (!(p->multiplier[oc] >= 0) || !isfinite(p->multiplier[oc]) || !isfinite(p->offset[oc])) {
            return SHRIKE_EUNSUPPORTED;
        }
    }
    conv2d_q_thresholds *t = thresholds;
    int64_t stride = conv2d_q_thresholds_stride(p->out_channels);
    memset(t, 0, (size_t)shrike_conv2d_q_thresholds_size(p->out_channels));
    *t = (conv2d_q_thresholds){.count = s.count, .falls = s.falls, .start = s.start, .out_channels = p->out_channels};
    for (int32_t i = 0; i < s.count; i++) {
        for (int32_t oc = 0; oc < p->out_channels; oc++) {
            t->values[i * stride + oc] = first_sum(p->multiplier[oc], p->offset[oc], p->low, p->high, s.at[i]);
        }
    }
    return SHRIKE_OK;
}
