/*
 * Functions of one float and of two, on strided views; the order of unary ones is that of
 * dev.shrike.graph.Op.Unary.Kind.
 */
#ifndef SHRIKE_API_ELEMENTWISE_F32_H
#define SHRIKE_API_ELEMENTWISE_F32_H

#include "context.h"
#include "view.h"

enum shrike_unary {
    SHRIKE_UNARY_SIGMOID,
    SHRIKE_UNARY_SILU,
    SHRIKE_UNARY_RELU,
    SHRIKE_UNARY_LEAKY_RELU,
    SHRIKE_UNARY_HARD_SIGMOID,
    SHRIKE_UNARY_HARD_SWISH,
    SHRIKE_UNARY_TANH,
    SHRIKE_UNARY_EXP,
    SHRIKE_UNARY_LOG,
    SHRIKE_UNARY_SQRT,
    SHRIKE_UNARY_NEG,
    SHRIKE_UNARY_ABS,
    SHRIKE_UNARY_FLOOR,
    SHRIKE_UNARY_CEIL,
    SHRIKE_UNARY_ROUND, /* half to even */
    SHRIKE_UNARY_RECIPROCAL,
    SHRIKE_UNARY_SIGN,
    SHRIKE_UNARY_NOT, /* 1 where x is 0, else 0 */
    SHRIKE_UNARY_ERF,
    SHRIKE_UNARY_SOFTPLUS, /* log(1 + e^x) */
    SHRIKE_UNARY_MISH, /* x * tanh(log(1 + e^x)) */
    SHRIKE_UNARY_ELU, /* x if it is above 0, else alpha * (e^x - 1) */
    SHRIKE_UNARY_SELU, /* beta * ELU */
    SHRIKE_UNARY_CELU, /* x if it is above 0, else alpha * (e^(x / alpha) - 1) */
    SHRIKE_UNARY_GELU, /* x / 2 * (1 + erf(x / sqrt(2))) */
    SHRIKE_UNARY_GELU_TANH, /* x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) */
    SHRIKE_UNARY_SOFTSIGN, /* x / (1 + |x|) */
    SHRIKE_UNARY_THRESHOLDED_RELU, /* x if it is above alpha, else 0 */
    SHRIKE_UNARY_SIN,
    SHRIKE_UNARY_COS,
    SHRIKE_UNARY_ATAN,
    SHRIKE_UNARY_CLIP,
    SHRIKE_UNARY_COUNT
};

enum shrike_binary {
    SHRIKE_BINARY_ADD,
    SHRIKE_BINARY_SUB,
    SHRIKE_BINARY_MUL,
    SHRIKE_BINARY_DIV,
    SHRIKE_BINARY_POW,
    SHRIKE_BINARY_MIN,
    SHRIKE_BINARY_MAX,
    SHRIKE_BINARY_MOD, /* C fmod: the sign of a */
    SHRIKE_BINARY_EQUAL,
    SHRIKE_BINARY_GREATER,
    SHRIKE_BINARY_GREATER_OR_EQUAL,
    SHRIKE_BINARY_LESS,
    SHRIKE_BINARY_LESS_OR_EQUAL,
    SHRIKE_BINARY_AND, /* comparisons, AND and OR take any non-zero as true and give 1 or 0 */
    SHRIKE_BINARY_OR,
    SHRIKE_BINARY_XOR,
    SHRIKE_BINARY_PRELU, /* a if it is not below 0, else a * b */
    SHRIKE_BINARY_COUNT
};

typedef struct shrike_unary_f32_params {
    const float *src;
    float *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t src_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    int32_t kind; /* enum shrike_unary */
    float alpha, beta; /* as in enum shrike_activation */
} shrike_unary_f32_params;

SHRIKE_API int32_t shrike_unary_f32(shrike_context *context, const shrike_unary_f32_params *params);

typedef struct shrike_binary_f32_params {
    const float *a;
    const float *b;
    float *dst;
    shrike_bounds a_bounds, b_bounds, dst_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t a_strides[SHRIKE_MAX_RANK];
    int64_t b_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    int32_t kind; /* enum shrike_binary */
} shrike_binary_f32_params;

SHRIKE_API int32_t shrike_binary_f32(shrike_context *context, const shrike_binary_f32_params *params);

#endif
