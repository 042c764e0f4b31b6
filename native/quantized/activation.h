/*
 * The activations behind sums of codes as a fixed sequence of float32 operations, one number at a time: what the vector
 * forms (activated_kernel.h) and dev.shrike.graph.FloatActivation give to the bit. fmaf is fused, nothing else is.
 */
#ifndef SHRIKE_QUANTIZED_ACTIVATION_H
#define SHRIKE_QUANTIZED_ACTIVATION_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "shrike.h"

/* Beyond it the sigmoid is 0 or 1 to float32; everything stays a normal number. */
#define ACTIVATION_REACH 86.0f
#define ACTIVATION_LOG2_E 0x1.715476p0f
/* 1.5 * 2^23: what is added to it is rounded to an integer, half to even, in the low bits. */
#define ACTIVATION_ROUND 12582912.0f
/* The minimax polynomial of 2^r for |r| <= 1/2, from r^0 on; its relative error is 7.5e-8. */
#define ACTIVATION_EXP2_0 0x1.000002p0f
#define ACTIVATION_EXP2_1 0x1.62e428p-1f
#define ACTIVATION_EXP2_2 0x1.ebf918p-3f
#define ACTIVATION_EXP2_3 0x1.c6b6e6p-5f
#define ACTIVATION_EXP2_4 0x1.3d0c52p-7f
#define ACTIVATION_EXP2_5 0x1.5c08dep-10f
/* Less the bits of a float, the bits of its reciprocal within 5.1 %. */
#define ACTIVATION_RECIPROCAL 0x7ef31000

static inline int32_t activation_bits(float x) {
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float activation_float(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* NaN gives the bound. */
static inline float activation_at_least(float x, float least) {
    return x > least ? x : least;
}

static inline float activation_unit(float x) {
    x = activation_at_least(x, 0);
    return x < 1 ? x : 1;
}

/*
 * 1 / (1 + e^-x): e^-x = 2^n 2^r with n in the exponent's bits and a polynomial of r, then the reciprocal from its bits
 * by one step of third and one of second order.
 */
static inline float activation_sigmoid(float x) {
    float t = activation_at_least(x, -ACTIVATION_REACH);
    t = t < ACTIVATION_REACH ? t : ACTIVATION_REACH;
    float shifted = fmaf(t, -ACTIVATION_LOG2_E, ACTIVATION_ROUND);
    float r = fmaf(t, -ACTIVATION_LOG2_E, -(shifted - ACTIVATION_ROUND));
    float p = fmaf(ACTIVATION_EXP2_5, r, ACTIVATION_EXP2_4);
    p = fmaf(p, r, ACTIVATION_EXP2_3);
    p = fmaf(p, r, ACTIVATION_EXP2_2);
    p = fmaf(p, r, ACTIVATION_EXP2_1);
    p = fmaf(p, r, ACTIVATION_EXP2_0);
    float d = 1 + activation_float((uint32_t)activation_bits(p) + ((uint32_t)activation_bits(shifted) << 23));
    float y = activation_float((uint32_t)(ACTIVATION_RECIPROCAL - activation_bits(d)));
    float e = fmaf(-d, y, 1);
    y = fmaf(y, fmaf(e, e, e), y);
    return fmaf(y, fmaf(-d, y, 1), y);
}

static inline float activation_of(int32_t kind, float x, float alpha, float beta) {
    switch ((enum shrike_activation)kind) {
    case SHRIKE_ACTIVATION_SILU:
        return activation_at_least(x, -ACTIVATION_REACH) * activation_sigmoid(x);
    case SHRIKE_ACTIVATION_RELU:
        return activation_at_least(x, 0);
    case SHRIKE_ACTIVATION_LEAKY_RELU:
        return x < 0 ? alpha * x : x;
    case SHRIKE_ACTIVATION_SIGMOID:
        return activation_sigmoid(x);
    case SHRIKE_ACTIVATION_HARD_SIGMOID: {
        float scaled = alpha * x;
        return activation_unit(scaled + beta);
    }
    case SHRIKE_ACTIVATION_HARD_SWISH: {
        float sixth = x * (1.0f / 6);
        return x * activation_unit(sixth + 0.5f);
    }
    case SHRIKE_ACTIVATION_TANH:
        return fmaf(2, activation_sigmoid(x + x), -1);
    case SHRIKE_ACTIVATION_CLIP:
        return x < alpha ? alpha : x > beta ? beta : x;
    case SHRIKE_ACTIVATION_NONE:
    case SHRIKE_ACTIVATION_COUNT:
        break;
    }
    return x;
}

#endif
