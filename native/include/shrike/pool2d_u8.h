/*
 * Pooling of codes.
 */
#ifndef SHRIKE_API_POOL2D_U8_H
#define SHRIKE_API_POOL2D_U8_H

#include "context.h"

/* Taps outside the image are ignored; a window wholly outside gives 0. */
typedef struct shrike_pool2d_u8_params {
    const uint8_t *src;
    uint8_t *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t src_batch_stride, src_row_stride, src_pixel_stride;
    int64_t dst_batch_stride, dst_row_stride, dst_pixel_stride;
    int32_t batch, height, width, channels;
    int32_t out_height, out_width;
    int32_t kernel_height, kernel_width, stride_height, stride_width;
    int32_t pad_top, pad_left;
    int32_t dilation_height, dilation_width;
} shrike_pool2d_u8_params;

SHRIKE_API int32_t shrike_maxpool2d_u8(shrike_context *context, const shrike_pool2d_u8_params *params);

#endif
