/*
 * Floats to codes, a run of them that lie together: one loop, compiled for each tier.
 */
#ifndef SHRIKE_QUANTIZE_U8_H
#define SHRIKE_QUANTIZE_U8_H

#include "shrike.h"

/* Reads scale, zero, low and high of the params. */
typedef void quantize_u8_span(const shrike_quantize_f32_u8_params *params, const float *src, uint8_t *dst,
                              int64_t count);

void quantize_u8_span_portable(const shrike_quantize_f32_u8_params *params, const float *src, uint8_t *dst,
                               int64_t count);
void quantize_u8_span_x86_avx2(const shrike_quantize_f32_u8_params *params, const float *src, uint8_t *dst,
                               int64_t count);
void quantize_u8_span_x86_avx512vnni(const shrike_quantize_f32_u8_params *params, const float *src, uint8_t *dst,
                                     int64_t count);

/*
 * clamp(rint(value / scale) + zero, low, high). The bounds less the zero point may be negative, so rounding is done on
 * the shifted integer: see round_to_code in quantized/rounding.h.
 */
static inline uint8_t quantize_u8_code(const shrike_quantize_f32_u8_params *p, float value) {
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

#define QUANTIZE_U8_SPAN(tier)                                                                                         \
    void quantize_u8_span_##tier(const shrike_quantize_f32_u8_params *params, const float *src, uint8_t *dst,          \
                                 int64_t count) {                                                                      \
        const shrike_quantize_f32_u8_params p = *params;                                                               \
        for (int64_t i = 0; i < count; i++) {                                                                          \
            dst[i] = quantize_u8_code(&p, src[i]);                                                                     \
        }                                                                                                              \
    }

#endif
