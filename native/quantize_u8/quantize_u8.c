/*
 * Floats to codes and back.
 */
#include <float.h>
#include <math.h>
#include <stdatomic.h>

#include "core/check.h"
#include "core/cpu.h"
#include "core/view_rows.h"
#include "quantize_u8.h"
#include "vector_ops/vector_ops.h"

typedef struct call {
    const shrike_quantize_f32_u8_params *params;
    quantize_u8_span *span;
} call;

static quantize_u8_span *span_of(const shrike_context *context) {
#if defined(__x86_64__)
    if (shrike_context_has(context, SHRIKE_TIER_AVX512VNNI)) {
        return quantize_u8_span_x86_avx512vnni;
    }
    if (shrike_context_has(context, SHRIKE_TIER_AVX2)) {
        return quantize_u8_span_x86_avx2;
    }
#endif
    (void)context;
    return quantize_u8_span_portable;
}

static void quantize_row(const void *argument, int64_t count, const int64_t *at, const int64_t *strides) {
    const call *c = argument;
    const shrike_quantize_f32_u8_params *p = c->params;
    uint8_t *dst = p->dst + at[0];
    const float *src = p->src + at[1];
    if (strides[0] == 1 && strides[1] == 1) {
        c->span(p, src, dst, count);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        dst[i * strides[0]] = quantize_u8_code(p, src[i * strides[1]]);
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

/* Of all params here. */
#define SOUND_VIEWS(p)                                                                                                 \
    (shrike_check_dims((p)->rank, (p)->dims) && SHRIKE_CHECK_VIEW(p, src) && SHRIKE_CHECK_DESTINATION(p, dst))

static int sound_scale(float scale, int32_t zero) {
    return scale > 0 && scale < INFINITY && zero >= 0 && zero <= 255;
}

/* On an entered context. */
static void run(shrike_context *context, int32_t rank, const int64_t *dims, const int64_t *src_strides,
                const int64_t *dst_strides, view_row_body *body, const void *argument) {
    view_loop loop = {0};
    view_loop_add(&loop, rank, dims, dst_strides);
    view_loop_add(&loop, rank, dims, src_strides);
    view_rows_parallel(context, &loop, body, argument);
}

int32_t shrike_quantize_f32_u8(shrike_context *context, const shrike_quantize_f32_u8_params *p) {
    if (!p || !SOUND_VIEWS(p) || !sound_scale(p->scale, p->zero) || p->low < 0 || p->low > p->high || p->high > 255 ||
        p->reserved != 0) {
        return SHRIKE_EINVAL;
    }
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    const call c = {p, span_of(context)};
    run(context, p->rank, p->dims, p->src_strides, p->dst_strides, quantize_row, &c);
    shrike_context_leave(context);
    return SHRIKE_OK;
}

/* The extremes found so far, as the bits of floats. */
typedef struct extremes {
    const shrike_vector_ops *vector_ops;
    const float *src;
    _Atomic uint32_t *low, *high;
} extremes;

typedef union real_bits {
    float real;
    uint32_t bits;
} real_bits;

/* The order in which threads come does not matter: a least and a largest value are exact. */
static void lower(_Atomic uint32_t *to, float sign, float value) {
    real_bits now = {.bits = atomic_load_explicit(to, memory_order_relaxed)}, wanted = {.real = value};
    while (sign * value < sign * now.real &&
           !atomic_compare_exchange_weak_explicit(to, &now.bits, wanted.bits, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
}

static void measure_row(const void *argument, int64_t count, const int64_t *at, const int64_t *strides) {
    const extremes *e = argument;
    const float *src = e->src + at[0];
    float low_high[2] = {0, 0};
    if (strides[0] == 1) {
        e->vector_ops->range(count, src, low_high);
    } else {
        for (int64_t i = 0; i < count; i++) {
            const float value = src[i * strides[0]];
            const int finite = fabsf(value) < INFINITY;
            low_high[0] = finite && value < low_high[0] ? value : low_high[0];
            low_high[1] = finite && value > low_high[1] ? value : low_high[1];
        }
    }
    lower(e->low, 1, low_high[0]);
    lower(e->high, -1, low_high[1]);
}

static shrike_code_range range_of(float min, float max) {
    float scale = (max - min) / 255;
    if (scale == INFINITY) {
        const float above = max / 255, below = min / 255;
        scale = above - below;
    }
    scale = max == min ? 1 : scale > FLT_MIN ? scale : FLT_MIN;
    const float zero = -min / scale;
    return (shrike_code_range){scale, (int32_t)rintf(zero < 255 ? zero : 255)};
}

int32_t shrike_quantize_dynamic_f32_u8(shrike_context *context, const shrike_quantize_dynamic_f32_u8_params *p) {
    if (!p || !SHRIKE_CHECK_ELEMENTS(p, range, 1) || !SOUND_VIEWS(p) || p->reserved != 0) {
        return SHRIKE_EINVAL;
    }
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    _Atomic uint32_t low = 0, high = 0;
    const extremes e = {shrike_vector_ops_of(context), p->src, &low, &high};
    view_loop loop = {0};
    view_loop_add(&loop, p->rank, p->dims, p->src_strides);
    view_rows_parallel(context, &loop, measure_row, &e);
    const real_bits min = {.bits = low}, max = {.bits = high};
    *p->range = range_of(min.real, max.real);
    const shrike_quantize_f32_u8_params fixed = {
        .src = p->src, .dst = p->dst, .scale = p->range->scale, .zero = p->range->zero, .high = 255};
    const call c = {&fixed, span_of(context)};
    run(context, p->rank, p->dims, p->src_strides, p->dst_strides, quantize_row, &c);
    shrike_context_leave(context);
    return SHRIKE_OK;
}

int32_t shrike_dequantize_u8_f32(shrike_context *context, const shrike_dequantize_u8_f32_params *p) {
    if (!p || !SOUND_VIEWS(p) || p->reserved != 0) {
        return SHRIKE_EINVAL;
    }
    shrike_dequantize_u8_f32_params fixed = *p;
    if (p->range) {
        if (!SHRIKE_CHECK_ELEMENTS(p, range, 1)) {
            return SHRIKE_EINVAL;
        }
        fixed.scale = p->range->scale;
        fixed.zero = p->range->zero;
    }
    if (!sound_scale(fixed.scale, fixed.zero)) {
        return SHRIKE_EINVAL;
    }
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    run(context, p->rank, p->dims, p->src_strides, p->dst_strides, dequantize_row, &fixed);
    shrike_context_leave(context);
    return SHRIKE_OK;
}
