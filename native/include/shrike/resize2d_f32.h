/*
 * Resizing, as ONNX Resize on the two spatial axes; enums in the order of dev.shrike.graph.Op.Resize.
 */
#ifndef SHRIKE_API_RESIZE2D_F32_H
#define SHRIKE_API_RESIZE2D_F32_H

#include "context.h"

enum shrike_resize_mode { SHRIKE_RESIZE_NEAREST, SHRIKE_RESIZE_LINEAR, SHRIKE_RESIZE_MODE_COUNT };

enum shrike_resize_coordinates {
    SHRIKE_COORDINATES_ASYMMETRIC,
    SHRIKE_COORDINATES_HALF_PIXEL,
    SHRIKE_COORDINATES_PYTORCH_HALF_PIXEL,
    SHRIKE_COORDINATES_ALIGN_CORNERS,
    SHRIKE_COORDINATES_COUNT
};

enum shrike_resize_nearest {
    SHRIKE_NEAREST_FLOOR,
    SHRIKE_NEAREST_CEIL,
    SHRIKE_NEAREST_ROUND_PREFER_FLOOR,
    SHRIKE_NEAREST_ROUND_PREFER_CEIL,
    SHRIKE_NEAREST_COUNT
};

typedef struct shrike_resize2d_f32_params {
    const float *src;
    float *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t src_batch_stride, src_row_stride, src_pixel_stride;
    int64_t dst_batch_stride, dst_row_stride, dst_pixel_stride;
    int32_t batch, height, width, channels;
    int32_t out_height, out_width;
    int32_t mode, coordinates, nearest;
    float scale_height, scale_width; /* output size / input size; 0: from the sizes */
    int32_t reserved;
} shrike_resize2d_f32_params;

SHRIKE_API int32_t shrike_resize2d_f32(shrike_context *context, const shrike_resize2d_f32_params *params);

#endif
