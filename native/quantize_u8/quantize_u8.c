/*
 * Floats to codes and back.
 */
#include <math.h>

#include "conv2d_q/epilogue.h"
#include "core/check.h"
#include "core/view_rows.h"

/* The bounds less the zero point may be negative, so rounding is done on the shifted integer: see conv2d_q_round. */
static uint8_t quantize(const shrike_quantize_f32_u8_params *p, float value) {
    const float low = (float)(p->low - p->zero), high = (float)(p->high - p->zero);
    union {
        float real;
        int32_t bits;
    } shifted;
    value /= p->scale;
    value = value > low ? value : low;
    value = value < high ? value : high;
    shifted.real = value + 12582912.0f;
    return (uint8_t)(shifted.bits - 0x4b400000 + p->zero);
}

static void quantize_row(const void *argument, int64_t count, const int64_t *at, const int64_t *strides) {
    const shrike_quantize_f32_u8_params p = *(const shrike_quantize_f32_u8_params *)argument;
    uint8_t *dst = p.dst + at[0];
    const float *src = p.src + at[1];
    if (strides[0] == 1 && strides[1] == 1) {
        for (int64_t i = 0; i < count; i++) {
            dst[i] = quantize(&p, src[i]);
        }
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        dst[i * strides[0]] = quantize(&p, src[i * strides[1]]);
    }
}

static void dequantize_row(const void *argument, int64_t count, const int64_t *at, const int64_t *strides) {
    const shrike_dequantize_u8_f32_params p = *(const shrike_dequantize_u8_f32_params *)argument;
    float *dst = p.dst + at[0];
    const uint8_t *src = p.src + at[1];
    if (strides[0] == 1 && strides[1] == 1) {
        for (int64_t i = 0; i < count; i++) {
            dst[i] = p.scale * (float)(src[i] - p.zero);
        }
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        dst[i * strides[0]] = p.scale * (float)(src[i * strides[1]] - p.zero);
    }
}

static int sound_view(const void *src, const void *dst, int32_t rank, const int64_t *dims, const int64_t *src_strides,
                      const int64_t *dst_strides) {
    return shrike_check_dims(rank, dims) && shrike_check_view(src, rank, dims, src_strides) &&
           shrike_check_destination(dst, rank, dims, dst_strides);
}

static int sound_scale(float scale, int32_t zero) {
    return scale > 0 && scale < INFINITY && zero >= 0 && zero <= 255;
}

static int32_t run(shrike_context *context, int32_t rank, const int64_t *dims, const int64_t *src_strides,
                   const int64_t *dst_strides, view_row_body *body, const void *params) {
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    view_loop loop = {0};
    view_loop_add(&loop, rank, dims, dst_strides);
    view_loop_add(&loop, rank, dims, src_strides);
    view_rows_parallel(context, &loop, body, params);
    shrike_context_leave(context);
    return SHRIKE_OK;
}

int32_t shrike_quantize_f32_u8(shrike_context *context, const shrike_quantize_f32_u8_params *p) {
    if (!p || !sound_view(p->src, p->dst, p->rank, p->dims, p->src_strides, p->dst_strides) ||
        !sound_scale(p->scale, p->zero) || p->low < 0 || p->low > p->high || p->high > 255 || p->reserved != 0) {
        return SHRIKE_EINVAL;
    }
    return run(context, p->rank, p->dims, p->src_strides, p->dst_strides, quantize_row, p);
}

int32_t shrike_dequantize_u8_f32(shrike_context *context, const shrike_dequantize_u8_f32_params *p) {
    if (!p || !sound_view(p->src, p->dst, p->rank, p->dims, p->src_strides, p->dst_strides) ||
        !sound_scale(p->scale, p->zero) || p->reserved != 0) {
        return SHRIKE_EINVAL;
    }
    return run(context, p->rank, p->dims, p->src_strides, p->dst_strides, dequantize_row, p);
}
