/*
 * Resizing of codes.
 */
#ifndef SHRIKE_API_RESIZE2D_U8_H
#define SHRIKE_API_RESIZE2D_U8_H

#include "resize2d_f32.h"

/* As shrike_resize2d_f32 with SHRIKE_RESIZE_NEAREST. */
typedef struct shrike_resize2d_u8_params {
    const uint8_t *src;
    uint8_t *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t src_batch_stride, src_row_stride, src_pixel_stride;
    int64_t dst_batch_stride, dst_row_stride, dst_pixel_stride;
    int32_t batch, height, width, channels;
    int32_t out_height, out_width;
    int32_t coordinates, nearest;
    float scale_height, scale_width; /* output size / input size; 0: from the sizes */
} shrike_resize2d_u8_params;

SHRIKE_API int32_t shrike_resize2d_u8(shrike_context *context, const shrike_resize2d_u8_params *params);

#endif
