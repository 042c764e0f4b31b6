/*
 * Copies and fills of strided views.
 */
#ifndef SHRIKE_API_COPY_F32_H
#define SHRIKE_API_COPY_F32_H

#include "context.h"
#include "view.h"

/* Moves bits, so it serves any 4-byte type. */
typedef struct shrike_copy_f32_params {
    const float *src;
    float *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t src_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    int32_t reserved;
} shrike_copy_f32_params;

SHRIKE_API int32_t shrike_copy_f32(shrike_context *context, const shrike_copy_f32_params *params);

typedef struct shrike_fill_f32_params {
    float *dst;
    shrike_bounds dst_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    float value;
} shrike_fill_f32_params;

SHRIKE_API int32_t shrike_fill_f32(shrike_context *context, const shrike_fill_f32_params *params);

#endif
