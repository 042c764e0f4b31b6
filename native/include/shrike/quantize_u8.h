/*
 * From floats to codes and back.
 */
#ifndef SHRIKE_API_QUANTIZE_U8_H
#define SHRIKE_API_QUANTIZE_U8_H

#include "codes.h"
#include "context.h"
#include "view.h"

/* dst = clamp(rint(src / scale) + zero, low, high). */
typedef struct shrike_quantize_f32_u8_params {
    const float *src;
    uint8_t *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t src_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    float scale; /* above 0, finite */
    int32_t zero, low, high; /* within 0..255 */
    int32_t reserved;
} shrike_quantize_f32_u8_params;

SHRIKE_API int32_t shrike_quantize_f32_u8(shrike_context *context, const shrike_quantize_f32_u8_params *params);

/*
 * Codes over the range of what is given: min and max are the least and the largest of 0 and all finite elements,
 *   scale = (max - min) / 255, or max / 255 - min / 255 where that is infinite; at least FLT_MIN; 1 if max is min
 *   zero = clamp(rint(-min / scale), 0, 255)
 *   dst = clamp(rint(src / scale) + zero, 0, 255)
 * as ONNX's DynamicQuantizeLinear. Scale and zero point go to *range.
 */
typedef struct shrike_quantize_dynamic_f32_u8_params {
    const float *src;
    uint8_t *dst;
    shrike_code_range *range;
    shrike_bounds src_bounds, dst_bounds, range_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t src_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    int32_t reserved;
} shrike_quantize_dynamic_f32_u8_params;

SHRIKE_API int32_t shrike_quantize_dynamic_f32_u8(shrike_context *context,
                                                  const shrike_quantize_dynamic_f32_u8_params *params);

/* dst = scale * (src - zero), both from *range if there is one. */
typedef struct shrike_dequantize_u8_f32_params {
    const uint8_t *src;
    float *dst;
    const shrike_code_range *range; /* or null */
    shrike_bounds src_bounds, dst_bounds, range_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t src_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    float scale; /* above 0, finite; not read with a range */
    int32_t zero; /* within 0..255; not read with a range */
    int32_t reserved;
} shrike_dequantize_u8_f32_params;

SHRIKE_API int32_t shrike_dequantize_u8_f32(shrike_context *context, const shrike_dequantize_u8_f32_params *params);

#endif
