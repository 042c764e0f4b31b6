/*
 * Sums of codes.
 */
#ifndef SHRIKE_API_ADD_U8_H
#define SHRIKE_API_ADD_U8_H

#include "codes.h"
#include "context.h"
#include "view.h"

/* dst = clamp(rint((a * scale_a + b * scale_b) + offset), low, high); dst may be the same view as a source. */
typedef struct shrike_add_u8_params {
    const uint8_t *a;
    const uint8_t *b;
    uint8_t *dst;
    shrike_bounds a_bounds, b_bounds, dst_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t a_strides[SHRIKE_MAX_RANK];
    int64_t b_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    float scale_a, scale_b, offset;
    int32_t low, high; /* within 0..255 */
} shrike_add_u8_params;

SHRIKE_API int32_t shrike_add_u8(shrike_context *context, const shrike_add_u8_params *params);

#endif
