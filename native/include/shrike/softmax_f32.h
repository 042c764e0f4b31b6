/*
 * Softmax.
 */
#ifndef SHRIKE_API_SOFTMAX_F32_H
#define SHRIKE_API_SOFTMAX_F32_H

#include "context.h"
#include "view.h"

/* exp(x - max) / sum(exp(x - max)) along one axis; dst may be the same view as src. */
typedef struct shrike_softmax_f32_params {
    const float *src;
    float *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t src_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    int32_t axis; /* 0..rank-1 */
} shrike_softmax_f32_params;

SHRIKE_API int32_t shrike_softmax_f32(shrike_context *context, const shrike_softmax_f32_params *params);

#endif
