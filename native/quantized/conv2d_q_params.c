/*
 * Checks of the params of the quantised convolution.
 */
#include "conv2d_q_params.h"

#include <math.h>

#include "core/check.h"
#include "thresholds.h"

/* Every product is below 2^8 * 2^8 in magnitude, so a sum over the whole depth must not pass the range of int32. */
static int sound_kernel(const shrike_conv2d_q_params *p) {
    if (!shrike_check_size(p->channels) || !shrike_check_size(p->out_channels) || p->groups < 1 ||
        p->channels % p->groups != 0 || p->out_channels % p->groups != 0 || p->src_bits < 1 || p->src_bits > 8 ||
        p->src_zero < 0 || p->src_zero >= 1 << p->src_bits || p->weight_bits < 1 || p->weight_bits > 8 ||
        p->weight_bipolar < 0 || p->weight_bipolar > (p->weight_bits == 1) || p->kernel < 0 ||
        p->kernel >= SHRIKE_QKERNEL_COUNT || p->src_dynamic < 0 || p->src_dynamic > 1 ||
        (p->src_dynamic && (p->src_zero != 0 || p->src_bits != 8))) {
        return 0;
    }
    int64_t taps = (int64_t)p->kernel_height * p->kernel_width, bytes;
    return !__builtin_mul_overflow(taps, p->channels, &bytes) &&
           !__builtin_mul_overflow(bytes, p->out_channels, &bytes) && bytes <= SHRIKE_MAX_REACH;
}

/* A weight less its zero point is at most 383 = 255 + 128 in magnitude, a code less its zero point 2^bits - 1. */
int conv2d_q_fits_int32(const shrike_conv2d_q_params *p) {
    return conv2d_q_depth(p) <= INT32_MAX / (383 * ((1 << p->src_bits) - 1));
}

int conv2d_q_sound_sizes(const shrike_conv2d_q_params *p) {
    return SHRIKE_CHECK_WINDOW(p) && sound_kernel(p) && shrike_check_size(p->batch) && shrike_check_size(p->height) &&
           shrike_check_size(p->width) && shrike_check_size(p->out_height) && shrike_check_size(p->out_width);
}

static int sound_range(int32_t low, int32_t high) {
    return 0 <= low && low <= high && high <= 255;
}

static int sound_thresholds(const shrike_conv2d_q_params *p) {
    const conv2d_q_thresholds *t = p->thresholds;
    const shrike_bounds bounds = p->thresholds_bounds;
    return !t ||
           (shrike_check_buffer(t, bounds.after, shrike_conv2d_q_thresholds_size(p->out_channels), sizeof(int32_t)) &&
            t->out_channels == p->out_channels && t->count >= 0 && t->count <= CONV2D_Q_MAX_THRESHOLDS);
}

static int sound_output(const shrike_conv2d_q_params *p) {
    if (p->activation < 0 || p->activation >= SHRIKE_ACTIVATION_COUNT || p->residual_first < 0 ||
        p->residual_first > (p->output == SHRIKE_QOUT_CODES && p->residual)) {
        return 0;
    }
    if (p->output == SHRIKE_QOUT_CODES) {
        int activated = conv2d_q_is_activated(p);
        return sound_thresholds(p) && sound_range(p->low, p->high) &&
               (!p->table || SHRIKE_CHECK_ELEMENTS(p, table, 256)) &&
               (!p->residual || p->residual_first || sound_range(p->residual_low, p->residual_high)) &&
               (!activated || (!p->table && !p->thresholds && p->code_multiplier > 0 && isfinite(p->code_multiplier) &&
                               isfinite(p->code_offset)));
    }
    return p->output == SHRIKE_QOUT_REAL;
}

static int sound_range_of_source(const shrike_conv2d_q_params *p) {
    const shrike_code_range *range = p->src_range;
    return !p->src_dynamic || (p->output == SHRIKE_QOUT_REAL && SHRIKE_CHECK_ELEMENTS(p, src_range, 1) &&
                               range->scale > 0 && isfinite(range->scale) && range->zero >= 0 && range->zero <= 255);
}

int conv2d_q_sound_call(const shrike_conv2d_q_params *p) {
    const int64_t bytes = p->output == SHRIKE_QOUT_REAL ? (int64_t)sizeof(float) : 1;
    return conv2d_q_sound_sizes(p) && sound_range_of_source(p) && sound_output(p) &&
           SHRIKE_CHECK_ELEMENTS(p, multiplier, p->out_channels) && SHRIKE_CHECK_ELEMENTS(p, offset, p->out_channels) &&
           SHRIKE_CHECK_IMAGE(p, src, p->height, p->width, p->channels) &&
           SHRIKE_CHECK_TARGET_OF(p, dst, bytes, p->out_height, p->out_width, p->out_channels) &&
           (!p->residual || SHRIKE_CHECK_IMAGE_OF(p, residual, bytes, p->out_height, p->out_width, p->out_channels));
}

int conv2d_q_sound_weights(const shrike_conv2d_q_params *p, const int8_t *oihw, const int32_t *weight_zero) {
    int32_t low = 127, high = -128;
    int64_t count = conv2d_q_depth(p) * p->out_channels;
    for (int64_t i = 0; i < count; i++) {
        low = oihw[i] < low ? oihw[i] : low;
        high = oihw[i] > high ? oihw[i] : high;
        if (p->weight_bipolar && oihw[i] != 1 && oihw[i] != -1) {
            return 0;
        }
    }
    for (int64_t oc = 0; weight_zero && oc < p->out_channels; oc++) {
        if (weight_zero[oc] < -128 || weight_zero[oc] > 255) {
            return 0;
        }
    }
    int32_t half = 1 << (p->weight_bits - 1);
    return p->weight_bipolar || (low >= -half && high < half) || (low >= 0 && high < 2 * half);
}
