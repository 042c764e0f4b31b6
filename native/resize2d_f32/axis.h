/*
 * Where a resized image reads its source: coordinates and rounding of ONNX Resize (opset 11 and later), one axis at a
 * time.
 */
#ifndef SHRIKE_RESIZE_AXIS_H
#define SHRIKE_RESIZE_AXIS_H

#include <math.h>

#include "shrike.h"

/* One axis: sizes, and how an output coordinate becomes an input coordinate. */
typedef struct axis {
    int32_t size, out_size;
    float scale;
    int32_t coordinates;
} axis;

static inline float resize_source_coordinate(const axis *a, int64_t out) {
    switch ((enum shrike_resize_coordinates)a->coordinates) {
    case SHRIKE_COORDINATES_HALF_PIXEL:
        return ((float)out + 0.5f) / a->scale - 0.5f;
    case SHRIKE_COORDINATES_PYTORCH_HALF_PIXEL:
        return a->out_size > 1 ? ((float)out + 0.5f) / a->scale - 0.5f : 0;
    case SHRIKE_COORDINATES_ALIGN_CORNERS:
        return a->out_size > 1 ? (float)out * (float)(a->size - 1) / (float)(a->out_size - 1) : 0;
    default:
        return (float)out / a->scale;
    }
}

static inline int64_t resize_clamp(float index, int32_t size) {
    return !(index > 0) ? 0 : index >= (float)(size - 1) ? size - 1 : (int64_t)index;
}

static inline int64_t resize_nearest(const axis *a, int32_t rule, int64_t out) {
    float at = resize_source_coordinate(a, out);
    switch ((enum shrike_resize_nearest)rule) {
    case SHRIKE_NEAREST_CEIL:
        return resize_clamp(ceilf(at), a->size);
    case SHRIKE_NEAREST_ROUND_PREFER_FLOOR:
        return resize_clamp(ceilf(at - 0.5f), a->size);
    case SHRIKE_NEAREST_ROUND_PREFER_CEIL:
        return resize_clamp(floorf(at + 0.5f), a->size);
    default:
        return resize_clamp(floorf(at), a->size);
    }
}

static inline axis resize_axis(int32_t size, int32_t out_size, float scale, int32_t coordinates) {
    return (axis){size, out_size, scale > 0 ? scale : (float)out_size / (float)size, coordinates};
}

#endif
