/*
 * What a quantised convolution makes of a sum, one number at a time, for the tests: by the formulas of shrike.h.
 */
#ifndef SHRIKE_TEST_RESULTS_H
#define SHRIKE_TEST_RESULTS_H

#include "quantized/activation.h"
#include "test/codes.h"

/* Whether codes come from floats behind a function or a residual, not from sums alone. */
static inline int is_activated_result(const shrike_conv2d_q_params *p) {
    return p->output == SHRIKE_QOUT_CODES && (p->activation != SHRIKE_ACTIVATION_NONE || p->residual_first);
}

/* activation_test holds SiLU, the sigmoid and tanh to the true functions. */
static inline float activated_result(const shrike_conv2d_q_params *p, float value) {
    switch (p->activation) {
    case SHRIKE_ACTIVATION_NONE:
        return value;
    case SHRIKE_ACTIVATION_RELU:
        return value > 0 ? value : 0;
    case SHRIKE_ACTIVATION_LEAKY_RELU:
        return value < 0 ? p->alpha * value : value;
    case SHRIKE_ACTIVATION_CLIP:
        return isnan(value) ? value : fminf(fmaxf(value, p->alpha), p->beta);
    case SHRIKE_ACTIVATION_HARD_SIGMOID: {
        volatile float product = p->alpha * value;
        return fminf(fmaxf(product + p->beta, 0), 1);
    }
    case SHRIKE_ACTIVATION_HARD_SWISH: {
        volatile float sixth = value * (1.0f / 6);
        return value * fminf(fmaxf(sixth + 0.5f, 0), 1);
    }
    default:
        return activation_of(p->activation, value, p->alpha, p->beta);
    }
}

/* volatile keeps each operation's rounding. */
static inline uint8_t code_result(const shrike_conv2d_q_params *p, int64_t sum, int64_t oc, const uint8_t *residual) {
    volatile float scaled = (float)sum * p->multiplier[oc];
    volatile float value = scaled + p->offset[oc];
    if (is_activated_result(p)) {
        volatile float position = activated_result(p, value) * p->code_multiplier;
        if (p->residual_first) {
            volatile float added = (float)*residual * p->residual_b;
            position = position + added;
        }
        value = position + p->code_offset;
    }
    uint8_t code = nearest_code(value, p->low, p->high);
    code = p->table ? p->table[code] : code;
    if (!residual || p->residual_first) {
        return code;
    }
    volatile float a = (float)code * p->residual_a, b = (float)*residual * p->residual_b;
    volatile float both = a + b;
    volatile float all = both + p->residual_c;
    return nearest_code(all, p->residual_low, p->residual_high);
}

/* `scale`: of codes that were measured, else 1. */
static inline float real_result(const shrike_conv2d_q_params *p, float scale, int64_t sum, int64_t oc) {
    volatile float multiplier = p->multiplier[oc] * scale;
    volatile float scaled = (float)sum * multiplier;
    volatile float value = scaled + p->offset[oc];
    return activated_result(p, value);
}

#endif
