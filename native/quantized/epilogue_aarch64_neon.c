/*
 * Epilogues for plain armv8-a, 16 codes at a time; a table is looked up in registers, 64 entries an instruction.
 */
#include <arm_neon.h>
#include <stddef.h>
#include <string.h>

#include "epilogue.h"

typedef struct constants {
    float32x4_t low, high, residual_low, residual_high, residual_a, residual_b, residual_c;
    uint8x16x4_t table[4];
} constants;

/* clamp(rint(value), low, high): FMAXNM takes the number beside a NaN. */
static inline uint32x4_t to_integer(float32x4_t value, float32x4_t low, float32x4_t high) {
    return vcvtnq_u32_f32(vminnmq_f32(vmaxnmq_f32(value, low), high));
}

static inline uint8x16_t to_bytes(uint32x4_t a, uint32x4_t b, uint32x4_t c, uint32x4_t d) {
    uint16x8_t lower = vcombine_u16(vmovn_u32(a), vmovn_u32(b)), upper = vcombine_u16(vmovn_u32(c), vmovn_u32(d));
    return vcombine_u8(vmovn_u16(lower), vmovn_u16(upper));
}

static inline uint32x4_t scale(const constants *k, const int32_t *sums, const float *multiplier, const float *offset) {
    float32x4_t scaled = vmulq_f32(vcvtq_f32_s32(vld1q_s32(sums)), vld1q_f32(multiplier));
    return to_integer(vaddq_f32(scaled, vld1q_f32(offset)), k->low, k->high);
}

/* Entries beyond a part of the table keep what the parts before gave. */
static inline uint8x16_t look_up(const constants *k, uint8x16_t codes, int32_t high) {
    uint8x16_t result = vqtbl4q_u8(k->table[0], codes);
    if (high >= 64) {
        result = vqtbx4q_u8(result, k->table[1], vsubq_u8(codes, vdupq_n_u8(64)));
        result = vqtbx4q_u8(result, k->table[2], vsubq_u8(codes, vdupq_n_u8(128)));
        result = vqtbx4q_u8(result, k->table[3], vsubq_u8(codes, vdupq_n_u8(192)));
    }
    return result;
}

static inline uint32x4_t add_four(const constants *k, uint16x4_t code, uint16x4_t residual) {
    float32x4_t a = vmulq_f32(vcvtq_f32_u32(vmovl_u16(code)), k->residual_a);
    float32x4_t b = vmulq_f32(vcvtq_f32_u32(vmovl_u16(residual)), k->residual_b);
    return to_integer(vaddq_f32(vaddq_f32(a, b), k->residual_c), k->residual_low, k->residual_high);
}

static inline uint8x16_t add_residual(const constants *k, uint8x16_t codes, uint8x16_t residual) {
    uint16x8_t lower = vmovl_u8(vget_low_u8(codes)), upper = vmovl_high_u8(codes);
    uint16x8_t add_lower = vmovl_u8(vget_low_u8(residual)), add_upper = vmovl_high_u8(residual);
    return to_bytes(add_four(k, vget_low_u16(lower), vget_low_u16(add_lower)),
                    add_four(k, vget_high_u16(lower), vget_high_u16(add_lower)),
                    add_four(k, vget_low_u16(upper), vget_low_u16(add_upper)),
                    add_four(k, vget_high_u16(upper), vget_high_u16(add_upper)));
}

/* 16 sums to 16 codes; every array has 16 elements. */
static inline void convert(const shrike_conv2d_q_params *p, const constants *k, const int32_t *sums,
                           const float *multiplier, const float *offset, const uint8_t *residual, uint8_t *dst) {
    uint8x16_t codes =
        to_bytes(scale(k, sums, multiplier, offset), scale(k, sums + 4, multiplier + 4, offset + 4),
                 scale(k, sums + 8, multiplier + 8, offset + 8), scale(k, sums + 12, multiplier + 12, offset + 12));
    if (p->table) {
        codes = look_up(k, codes, p->high);
    }
    if (residual) {
        codes = add_residual(k, codes, vld1q_u8(residual));
    }
    vst1q_u8(dst, codes);
}

static constants residual_constants_of(const shrike_conv2d_q_params *p) {
    constants k;
    k.residual_low = vdupq_n_f32((float)p->residual_low);
    k.residual_high = vdupq_n_f32((float)p->residual_high);
    k.residual_a = vdupq_n_f32(p->residual_a);
    k.residual_b = vdupq_n_f32(p->residual_b);
    k.residual_c = vdupq_n_f32(p->residual_c);
    return k;
}

static constants constants_of(const shrike_conv2d_q_params *p) {
    constants k = residual_constants_of(p);
    k.low = vdupq_n_f32((float)p->low);
    k.high = vdupq_n_f32((float)p->high);
    for (int i = 0; p->table && i < 16; i++) {
        k.table[i / 4].val[i % 4] = vld1q_u8(p->table + 16 * i);
    }
    return k;
}

/* The last columns, fewer than 16, through memory of their own. */
static void convert_last(const shrike_conv2d_q_params *p, const constants *k, const conv2d_q_tile *tile,
                         int64_t column) {
    const int64_t count = tile->count - column, channel = tile->first + column;
    float multiplier[16] = {0}, offset[16] = {0};
    memcpy(multiplier, p->multiplier + channel, (size_t)count * sizeof(float));
    memcpy(offset, p->offset + channel, (size_t)count * sizeof(float));
    for (int64_t i = 0; i < tile->pixels; i++) {
        int32_t sums[16] = {0};
        uint8_t residual[16] = {0}, codes[16];
        memcpy(sums, tile->sums + i * tile->sums_stride + column, (size_t)count * sizeof *sums);
        if (p->residual) {
            memcpy(residual, (const uint8_t *)p->residual + tile->residual[i] + channel, (size_t)count);
        }
        convert(p, k, sums, multiplier, offset, p->residual ? residual : NULL, codes);
        memcpy((uint8_t *)p->dst + tile->dst[i] + channel, codes, (size_t)count);
    }
}

void conv2d_q_codes_aarch64_neon(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile) {
    const constants k = constants_of(p);
    int64_t column = 0;
    for (; column + 16 <= tile->count; column += 16) {
        const int64_t channel = tile->first + column;
        for (int64_t i = 0; i < tile->pixels; i++) {
            const uint8_t *residual = p->residual ? (const uint8_t *)p->residual + tile->residual[i] + channel : NULL;
            convert(p, &k, tile->sums + i * tile->sums_stride + column, p->multiplier + channel, p->offset + channel,
                    residual, (uint8_t *)p->dst + tile->dst[i] + channel);
        }
    }
    if (column < tile->count) {
        convert_last(p, &k, tile, column);
    }
}

/* `codes` may be read to a multiple of 16 channels. */
void conv2d_q_add_aarch64_neon(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile, conv2d_q_codes codes) {
    const constants k = residual_constants_of(p);
    for (int64_t i = 0; i < tile->pixels; i++) {
        const uint8_t *from = codes.codes + i * codes.stride;
        const uint8_t *residual = (const uint8_t *)p->residual + tile->residual[i] + tile->first;
        uint8_t *dst = (uint8_t *)p->dst + tile->dst[i] + tile->first;
        int64_t c = 0;
        for (; c + 16 <= tile->count; c += 16) {
            vst1q_u8(dst + c, add_residual(&k, vld1q_u8(from + c), vld1q_u8(residual + c)));
        }
        if (c < tile->count) {
            uint8_t last[16] = {0};
            memcpy(last, residual + c, (size_t)(tile->count - c));
            vst1q_u8(last, add_residual(&k, vld1q_u8(from + c), vld1q_u8(last)));
            memcpy(dst + c, last, (size_t)(tile->count - c));
        }
    }
}
