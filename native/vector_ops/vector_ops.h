/*
 * Loops over floats that lie together, in the best form the context's tier allows. The operations on strided views,
 * pooling, resizing and softmax are made of them. dst may be one of the sources; nothing beyond n is touched.
 */
#ifndef SHRIKE_VECTOR_OPS_H
#define SHRIKE_VECTOR_OPS_H

#include "core/context.h"

typedef struct shrike_vector_ops {
    uint64_t features;
    /* dst[i] = kind(src[i]) */
    void (*unary)(int32_t kind, float alpha, float beta, int64_t n, const float *src, float *dst);
    /* dst[i] = kind(a[i], b[i]) */
    void (*binary)(int32_t kind, int64_t n, const float *a, const float *b, float *dst);
    /* dst[i] = max over t of taps[t][i], or maximum with dst[i] if extend */
    void (*maximum)(int64_t n, const float *const *taps, int64_t count, int extend, float *dst);
    /* dst[i] = sum over t of weights[t] * taps[t][i], added to dst[i] if extend */
    void (*weighted_sum)(int64_t n, const float *const *taps, const float *weights, int64_t count, int extend,
                         float *dst);
    /* low_high[0] = min(low_high[0], finite src[i]), low_high[1] = max(low_high[1], finite src[i]) */
    void (*range)(int64_t n, const float *src, float *low_high);
    /* sums[32][64] += a[32][depth] * b[depth][64] for the first rows and columns (both rounded up to whole tiles) */
    void (*multiply_block)(int64_t rows, int64_t columns, int64_t depth, const float *a, const float *b, float *sums);
} shrike_vector_ops;

enum { VECTOR_OPS_BLOCK_ROWS = 32, VECTOR_OPS_BLOCK_COLUMNS = 64, VECTOR_OPS_BLOCK_DEPTH = 128 };

const shrike_vector_ops *shrike_vector_ops_of(const shrike_context *context);

extern const shrike_vector_ops shrike_vector_ops_portable;
extern const shrike_vector_ops shrike_vector_ops_x86_avx2;
extern const shrike_vector_ops shrike_vector_ops_x86_avx512;

#endif
