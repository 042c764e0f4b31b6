/*
 * Pooling of floats.
 */
#ifndef SHRIKE_API_POOL2D_F32_H
#define SHRIKE_API_POOL2D_F32_H

#include "context.h"

/*
 * Taps outside the image are ignored by the maximum; the average counts those within the pads if count_include_pad
 * is 1. A window wholly outside gives -FLT_MAX (maximum) or 0 (average). The maximum passes NaN over.
 */
typedef struct shrike_pool2d_f32_params {
    const float *src;
    float *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t src_batch_stride, src_row_stride, src_pixel_stride;
    int64_t dst_batch_stride, dst_row_stride, dst_pixel_stride;
    int32_t batch, height, width, channels;
    int32_t out_height, out_width;
    int32_t kernel_height, kernel_width, stride_height, stride_width;
    int32_t pad_top, pad_left, pad_bottom, pad_right;
    int32_t dilation_height, dilation_width;
    int32_t count_include_pad; /* average only */
    int32_t reserved;
} shrike_pool2d_f32_params;

SHRIKE_API int32_t shrike_maxpool2d_f32(shrike_context *context, const shrike_pool2d_f32_params *params);
SHRIKE_API int32_t shrike_avgpool2d_f32(shrike_context *context, const shrike_pool2d_f32_params *params);

#endif
