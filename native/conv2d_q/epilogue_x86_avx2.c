/*
 * Epilogues with AVX2, 32 codes at a time. A table of up to 16 codes is looked up in a register, a longer one code by
 * code: 16 shuffles with their masks take as long.
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

static inline __m256i scale(const int32_t *sums, const float *multiplier, const float *offset, __m256 high) {
    __m256 value = _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)sums));
    value = _mm256_mul_ps(value, _mm256_loadu_ps(multiplier));
    return to_integer(_mm256_add_ps(value, _mm256_loadu_ps(offset)), high);
}

static inline __m256i add_eight(const constants *k, const uint8_t *codes, const uint8_t *residual) {
    __m256i code = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)codes));
    __m256i other = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)residual));
    __m256 a = _mm256_mul_ps(_mm256_cvtepi32_ps(code), k->residual_a);
    __m256 b = _mm256_mul_ps(_mm256_cvtepi32_ps(other), k->residual_b);
    return to_integer(_mm256_add_ps(_mm256_add_ps(a, b), k->residual_c), k->residual_high);
}

/* 32 sums to 32 codes; every array has 32 elements. */
static inline void convert(const shrike_conv2d_q_params *p, const constants *k, const int32_t *sums,
                           const float *multiplier, const float *offset, const uint8_t *residual, uint8_t *dst) {
    __m256i codes =
        to_bytes(scale(sums, multiplier, offset, k->high), scale(sums + 8, multiplier + 8, offset + 8, k->high),
                 scale(sums + 16, multiplier + 16, offset + 16, k->high),
                 scale(sums + 24, multiplier + 24, offset + 24, k->high));
    codes = _mm256_max_epu8(codes, k->low);
    if (p->table && p->high < 16) {
        codes = _mm256_shuffle_epi8(k->short_table, codes);
    }
    const int one_by_one = p->table && p->high >= 16;
    if (!one_by_one && !residual) {
        _mm256_storeu_si256((__m256i *)dst, codes);
        return;
    }
    uint8_t bytes[32];
    _mm256_storeu_si256((__m256i *)bytes, codes);
    if (one_by_one) {
        uint8_t *to = residual ? bytes : dst;
        for (int i = 0; i < 32; i++) {
            to[i] = p->table[bytes[i]];
        }
    }
    if (residual) {
        codes = to_bytes(add_eight(k, bytes, residual), add_eight(k, bytes + 8, residual + 8),
                         add_eight(k, bytes + 16, residual + 16), add_eight(k, bytes + 24, residual + 24));
        _mm256_storeu_si256((__m256i *)dst, _mm256_max_epu8(codes, k->residual_low));
    }
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

/* The last columns, fewer than 32, through memory of their own. */
static void convert_last(const shrike_conv2d_q_params *p, const constants *k, const conv2d_q_tile *tile,
                         int64_t column) {
    const int64_t count = tile->count - column, channel = tile->first + column;
    float multiplier[32] = {0}, offset[32] = {0};
    memcpy(multiplier, p->multiplier + channel, (size_t)count * sizeof(float));
    memcpy(offset, p->offset + channel, (size_t)count * sizeof(float));
    for (int64_t i = 0; i < tile->pixels; i++) {
        int32_t sums[32] = {0};
        uint8_t residual[32] = {0}, codes[32];
        memcpy(sums, tile->sums + i * tile->sums_stride + column, (size_t)count * sizeof *sums);
        if (p->residual) {
            memcpy(residual, (const uint8_t *)p->residual + tile->residual[i] + channel, (size_t)count);
        }
        convert(p, k, sums, multiplier, offset, p->residual ? residual : NULL, codes);
        memcpy((uint8_t *)p->dst + tile->dst[i] + channel, codes, (size_t)count);
    }
}

void conv2d_q_codes_x86_avx2(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile) {
    const constants k = constants_of(p);
    int64_t column = 0;
    for (; column + 32 <= tile->count; column += 32) {
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
