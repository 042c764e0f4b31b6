/*
 * Reductions.
 */
#ifndef SHRIKE_API_REDUCE_F32_H
#define SHRIKE_API_REDUCE_F32_H

#include "context.h"
#include "view.h"

enum shrike_reduce {
    SHRIKE_REDUCE_MEAN,
    SHRIKE_REDUCE_SUM,
    SHRIKE_REDUCE_MAX,
    SHRIKE_REDUCE_MIN,
    SHRIKE_REDUCE_PROD,
    SHRIKE_REDUCE_COUNT
};

/* dims is the shape of src; bit i of axis_mask set: dimension i is reduced, and dst_strides[i] is not read. */
typedef struct shrike_reduce_f32_params {
    const float *src;
    float *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t src_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    int32_t kind; /* enum shrike_reduce */
    uint32_t axis_mask;
    int32_t reserved;
} shrike_reduce_f32_params;

SHRIKE_API int32_t shrike_reduce_f32(shrike_context *context, const shrike_reduce_f32_params *params);

#endif
