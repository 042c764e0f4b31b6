/*
 * exp, sigmoid, SiLU, tanh and friends on vectors; include after one of vec_*.h. Polynomials are minimax fits on the
 * reduced range; relative errors (of exp: 1.6e-7 all told) are checked against double in the tests.
 */
#ifndef SHRIKE_VEC_MATH_H
#define SHRIKE_VEC_MATH_H

#include "shrike.h"

/*
 * e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2, for x clamped to where 2^n is a normal number: below
 * -87.33 the result is the smallest normal number's neighbourhood (about 1.2e-38) and not a subnormal or 0.
 * ln 2 is taken in two parts, the first with 9 bits less than a float holds, so that n * part is exact.
 * NaN gives NaN, because vf_min and vf_max let their second operand win.
 */
static inline vf vf_exp_clamped(vf x) {
    x = vf_min(vf_set1(87.3f), vf_max(vf_set1(-87.33f), x));
    vf n = vf_round(x * vf_set1(1.44269504f));
    vf r = vf_fma(n, vf_set1(-0.693359375f), x);
    r = vf_fma(n, vf_set1(2.12194440e-4f), r);
    vf p = vf_fma(r, vf_set1(8.297583937e-3f), vf_set1(4.191587661e-2f));
    p = vf_fma(p, r, vf_set1(1.666757836e-1f));
    p = vf_fma(p, r, vf_set1(4.999889047e-1f));
    p = vf_fma(p, r, vf_set1(9.999996901e-1f));
    p = vf_fma(p, r, vf_set1(1.000000072f));
    return p * vf_exp2i(n);
}

/* e^x with 0 and infinity where they belong. */
static inline vf vf_exp(vf x) {
    vf y = vf_exp_clamped(x);
    y = vf_select(vm_less(x, vf_set1(-87.33f)), vf_set1(0), y);
    /* Between 87.3 and 88.72 the result is finite: a factor e^2 brings the argument into the clamp. */
    vf high = vf_exp_clamped(x - vf_set1(2)) * vf_set1(7.389056099f);
    y = vf_select(vm_less(vf_set1(87.3f), x), high, y);
    return vf_select(vm_less(vf_set1(88.7228f), x), vf_set1(__builtin_inff()), y);
}

/* 1 / (1 + e^-x). */
static inline vf vf_sigmoid(vf x) {
    return vf_set1(1) / (vf_set1(1) + vf_exp_clamped(-x));
}

/* x / (1 + e^-x). */
static inline vf vf_silu(vf x) {
    return x / (vf_set1(1) + vf_exp_clamped(-x));
}

/* An odd polynomial near 0, where 1 - 2 / (e^2x + 1) would cancel. */
static inline vf vf_tanh(vf x) {
    vf magnitude = vf_abs(x);
    vf z = x * x;
    vf p = vf_fma(z, vf_set1(-5.717045076e-3f), vf_set1(2.065058732e-2f));
    p = vf_fma(p, z, vf_set1(-5.374349809e-2f));
    p = vf_fma(p, z, vf_set1(1.333149129e-1f));
    p = vf_fma(p, z, vf_set1(-3.333328393e-1f));
    vf near = vf_fma(p * z, x, x);
    vf far = vf_set1(1) - vf_set1(2) / (vf_exp_clamped(magnitude + magnitude) + vf_set1(1));
    return vf_select(vm_less(magnitude, vf_set1(0.625f)), near, vf_copysign(far, x));
}

static inline vf vf_relu(vf x) {
    return vf_max(vf_set1(0), x);
}

static inline vf vf_leaky_relu(vf x, vf alpha) {
    return vf_select(vm_less(x, vf_set1(0)), x * alpha, x);
}

/* max(low, min(high, x)); NaN stays NaN. */
static inline vf vf_clip(vf x, vf low, vf high) {
    return vf_max(low, vf_min(high, x));
}

static inline vf vf_hard_sigmoid(vf x, vf alpha, vf beta) {
    return vf_clip(vf_fma(alpha, x, beta), vf_set1(0), vf_set1(1));
}

static inline vf vf_hard_swish(vf x) {
    return x * vf_hard_sigmoid(x, vf_set1(1.0f / 6), vf_set1(0.5f));
}

#endif
