/*
 * Matrix product.
 */
#ifndef SHRIKE_API_MATMUL_F32_H
#define SHRIKE_API_MATMUL_F32_H

#include "context.h"

#define SHRIKE_MAX_BATCH_RANK 4

/*
 * dst[.., i, j] = alpha * sum over l of a[.., i, l] * b[.., l, j] + beta * bias[.., i, j], for m x k times k x n over
 * batch_rank leading dimensions (0: one product). Source strides may be 0 (broadcast).
 */
typedef struct shrike_matmul_f32_params {
    const float *a;
    const float *b;
    const float *bias; /* or null */
    float *dst;
    shrike_bounds a_bounds, b_bounds, bias_bounds, dst_bounds;
    int64_t batch_dims[SHRIKE_MAX_BATCH_RANK];
    int64_t a_batch_strides[SHRIKE_MAX_BATCH_RANK];
    int64_t b_batch_strides[SHRIKE_MAX_BATCH_RANK];
    int64_t bias_batch_strides[SHRIKE_MAX_BATCH_RANK];
    int64_t dst_batch_strides[SHRIKE_MAX_BATCH_RANK];
    int64_t m, n, k;
    int64_t a_row_stride, a_column_stride;
    int64_t b_row_stride, b_column_stride;
    int64_t bias_row_stride, bias_column_stride;
    int64_t dst_row_stride, dst_column_stride;
    float alpha, beta;
    int32_t batch_rank;
    int32_t reserved;
} shrike_matmul_f32_params;

SHRIKE_API int32_t shrike_matmul_f32(shrike_context *context, const shrike_matmul_f32_params *params);

#endif
