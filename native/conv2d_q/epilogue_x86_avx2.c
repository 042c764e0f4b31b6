/*
 * Epilogues with AVX2, 16 codes of two pixels at a time. A table of up to 16 codes is looked up in a register, a longer
 * one in 16 of them, sixteenths chosen by a tree over the upper four bits.
 */
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#include "epilogue.h"

typedef struct constants {
    __m256 high, residual_a, residual_b, residual_c, residual_high;
    __m256i low, residual_low, short_table;
} constants;

/* rint(min(value, high)); NaN becomes INT32_MIN, which saturates to 0 in bytes. */
static inline __m256i to_integer(__m256 value, __m256 high) {
    return _mm256_cvtps_epi32(_mm256_min_ps(high, value));
}

/* Four vectors of 8 integers as 32 bytes in order. */
static inline __m256i to_bytes(__m256i a, __m256i b, __m256i c, __m256i d) {
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    return _mm256_permutevar8x32_epi32(bytes, order);
}

static inline __m256i add_eight(const constants *k, const uint8_t *codes, const uint8_t *residual) {
    __m256i code = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)codes));
    __m256i other = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)residual));
    __m256 a = _mm256_mul_ps(_mm256_cvtepi32_ps(code), k->residual_a);
    __m256 b = _mm256_mul_ps(_mm256_cvtepi32_ps(other), k->residual_b);
    return to_integer(_mm256_add_ps(_mm256_add_ps(a, b), k->residual_c), k->residual_high);
}

/* 16 columns of two pixels, or of one pixel twice. */
typedef struct columns {
    const int32_t *sums[2];
    const uint8_t *residual[2]; /* or null */
    uint8_t *dst[2];
    __m256 multiplier[2], offset[2];
} columns;

static inline __m256i scale(const columns *c, int pixel, int half, __m256 high) {
    __m256 value = _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)(c->sums[pixel] + 8 * half)));
    return to_integer(_mm256_add_ps(_mm256_mul_ps(value, c->multiplier[half]), c->offset[half]), high);
}

/* The entry of sixteenth `s` that the lower four bits name. */
static inline __m256i in_sixteenth(const uint8_t *table, __m256i lower, int s) {
    __m128i sixteenth = _mm_loadu_si128((const __m128i *)(table + 16 * s));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(sixteenth), lower);
}

/* A blend goes by the top bit of a byte, so shifting by words brings up the lower ones: bits 7, 6, 5 and 4 choose. */
static inline __m256i look_up(const uint8_t *table, __m256i codes) {
    const __m256i lower = _mm256_and_si256(codes, _mm256_set1_epi8(15));
    const __m256i bit4 = _mm256_slli_epi16(codes, 3), bit5 = _mm256_slli_epi16(codes, 2);
    const __m256i bit6 = _mm256_slli_epi16(codes, 1);
    __m256i quarters[4];
#pragma GCC unroll 4
    for (int q = 0; q < 4; q++) {
        __m256i even =
            _mm256_blendv_epi8(in_sixteenth(table, lower, 4 * q), in_sixteenth(table, lower, 4 * q + 1), bit4);
        __m256i odd =
            _mm256_blendv_epi8(in_sixteenth(table, lower, 4 * q + 2), in_sixteenth(table, lower, 4 * q + 3), bit4);
        quarters[q] = _mm256_blendv_epi8(even, odd, bit5);
    }
    return _mm256_blendv_epi8(_mm256_blendv_epi8(quarters[0], quarters[1], bit6),
                              _mm256_blendv_epi8(quarters[2], quarters[3], bit6), codes);
}

static inline void convert(const shrike_conv2d_q_params *p, const constants *k, const columns *c) {
    __m256i codes =
        to_bytes(scale(c, 0, 0, k->high), scale(c, 0, 1, k->high), scale(c, 1, 0, k->high), scale(c, 1, 1, k->high));
    codes = _mm256_max_epu8(codes, k->low);
    uint8_t bytes[32];
    if (p->table && p->high < 16) {
        codes = _mm256_shuffle_epi8(k->short_table, codes);
    } else if (p->table) {
        codes = look_up(p->table, codes);
    }
    if (c->residual[0]) {
        _mm256_storeu_si256((__m256i *)bytes, codes);
        codes = to_bytes(add_eight(k, bytes, c->residual[0]), add_eight(k, bytes + 8, c->residual[0] + 8),
                         add_eight(k, bytes + 16, c->residual[1]), add_eight(k, bytes + 24, c->residual[1] + 8));
        codes = _mm256_max_epu8(codes, k->residual_low);
    }
    _mm_storeu_si128((__m128i *)c->dst[1], _mm256_extracti128_si256(codes, 1));
    _mm_storeu_si128((__m128i *)c->dst[0], _mm256_castsi256_si128(codes));
}

static constants constants_of(const shrike_conv2d_q_params *p) {
    constants k;
    k.high = _mm256_set1_ps((float)p->high);
    k.low = _mm256_set1_epi8((char)p->low);
    k.residual_a = _mm256_set1_ps(p->residual_a);
    k.residual_b = _mm256_set1_ps(p->residual_b);
    k.residual_c = _mm256_set1_ps(p->residual_c);
    k.residual_high = _mm256_set1_ps((float)p->residual_high);
    k.residual_low = _mm256_set1_epi8((char)p->residual_low);
    k.short_table =
        p->table ? _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p->table)) : _mm256_setzero_si256();
    return k;
}

/* One pixel's last columns, fewer than 16, through memory of their own. */
static void convert_last(const shrike_conv2d_q_params *p, const constants *k, columns *c, const conv2d_q_tile *tile,
                         int64_t pixel, int64_t column) {
    const int64_t count = tile->count - column, channel = tile->first + column;
    int32_t sums[16] = {0};
    uint8_t residual[16] = {0}, codes[16];
    memcpy(sums, tile->sums + pixel * tile->sums_stride + column, (size_t)count * sizeof *sums);
    if (p->residual) {
        memcpy(residual, (const uint8_t *)p->residual + tile->residual[pixel] + channel, (size_t)count);
    }
    for (int i = 0; i < 2; i++) {
        c->sums[i] = sums;
        c->residual[i] = p->residual ? residual : NULL;
        c->dst[i] = codes;
    }
    convert(p, k, c);
    memcpy((uint8_t *)p->dst + tile->dst[pixel] + channel, codes, (size_t)count);
}

void conv2d_q_codes_x86_avx2(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile) {
    const constants k = constants_of(p);
    for (int64_t column = 0; column < tile->count; column += 16) {
        const int64_t left = tile->count - column, channel = tile->first + column;
        float multiplier[16] = {0}, offset[16] = {0};
        memcpy(multiplier, p->multiplier + channel, (size_t)(left < 16 ? left : 16) * sizeof(float));
        memcpy(offset, p->offset + channel, (size_t)(left < 16 ? left : 16) * sizeof(float));
        columns c = {.multiplier = {_mm256_loadu_ps(multiplier), _mm256_loadu_ps(multiplier + 8)},
                     .offset = {_mm256_loadu_ps(offset), _mm256_loadu_ps(offset + 8)}};
        for (int64_t i = 0; left < 16 && i < tile->pixels; i++) {
            convert_last(p, &k, &c, tile, i, column);
        }
        for (int64_t i = 0; left >= 16 && i < tile->pixels; i += 2) {
            for (int64_t j = 0; j < 2; j++) {
                const int64_t pixel = i + j < tile->pixels ? i + j : i;
                c.sums[j] = tile->sums + pixel * tile->sums_stride + column;
                c.dst[j] = (uint8_t *)p->dst + tile->dst[pixel] + channel;
                c.residual[j] = p->residual ? (const uint8_t *)p->residual + tile->residual[pixel] + channel : NULL;
            }
            convert(p, &k, &c);
        }
    }
}

/* Without an activation only: the others take the scalar form. */
void conv2d_q_real_x86_avx2(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile) {
    for (int64_t column = 0; column < tile->count; column += 8) {
        const int64_t left = tile->count - column, channel = tile->first + column;
        const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(left < 8 ? (int32_t)left : 8),
                                                _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
        const __m256 multiplier = _mm256_maskload_ps(p->multiplier + channel, mask);
        const __m256 offset = _mm256_maskload_ps(p->offset + channel, mask);
        for (int64_t i = 0; i < tile->pixels; i++) {
            __m256i sums = _mm256_maskload_epi32(tile->sums + i * tile->sums_stride + column, mask);
            __m256 value = _mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(sums), multiplier), offset);
            if (p->residual) {
                const float *residual = (const float *)p->residual + tile->residual[i] + channel;
                value = _mm256_add_ps(value, _mm256_maskload_ps(residual, mask));
            }
            _mm256_maskstore_ps((float *)p->dst + tile->dst[i] + channel, mask, value);
        }
    }
}
