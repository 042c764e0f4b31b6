/*
 * Epilogues with AVX-512: 64 codes at a time, the table looked up in registers (VBMI).
 */
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#include "epilogue.h"

/* The table in four registers; looking up 64 codes takes two permutes of 128 entries and the choice by the top bit. */
typedef struct lookup {
    __m512i quarter[4];
} lookup;

static inline __m512i look_up(const lookup *l, __m512i codes) {
    __m512i lower = _mm512_permutex2var_epi8(l->quarter[0], codes, l->quarter[1]);
    __m512i upper = _mm512_permutex2var_epi8(l->quarter[2], codes, l->quarter[3]);
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(codes), lower, upper);
}

/*
 * rint(min(value, high)): NaN passes the minimum and becomes INT32_MIN, as do values below INT32_MIN; saturation to
 * bytes then gives 0, and the maximum with low is taken on bytes.
 */
static inline __m512i to_integer(__m512 value, __m512 high) {
    return _mm512_cvtps_epi32(_mm512_min_ps(high, value));
}

/* Four vectors of 16 integers as 64 bytes in order. */
static inline __m512i to_bytes(__m512i a, __m512i b, __m512i c, __m512i d) {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i bytes = _mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
    return _mm512_permutexvar_epi32(order, bytes);
}

typedef struct constants {
    __m512 high, residual_a, residual_b, residual_c, residual_high;
    __m512i low, residual_low;
    lookup table;
} constants;

static inline __m512i add_residual(const constants *k, __m512i codes, __m512i residual) {
    __m512i part[4];
#pragma GCC unroll 4
    for (int v = 0; v < 4; v++) {
        __m128i code = v == 0   ? _mm512_castsi512_si128(codes)
                       : v == 1 ? _mm512_extracti32x4_epi32(codes, 1)
                       : v == 2 ? _mm512_extracti32x4_epi32(codes, 2)
                                : _mm512_extracti32x4_epi32(codes, 3);
        __m128i other = v == 0   ? _mm512_castsi512_si128(residual)
                        : v == 1 ? _mm512_extracti32x4_epi32(residual, 1)
                        : v == 2 ? _mm512_extracti32x4_epi32(residual, 2)
                                 : _mm512_extracti32x4_epi32(residual, 3);
        __m512 a = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(code)), k->residual_a);
        __m512 b = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(other)), k->residual_b);
        part[v] = to_integer(_mm512_add_ps(_mm512_add_ps(a, b), k->residual_c), k->residual_high);
    }
    return _mm512_max_epu8(to_bytes(part[0], part[1], part[2], part[3]), k->residual_low);
}

static inline __m512i scale(const int32_t *sums, __m512 multiplier, __m512 offset, __m512 high) {
    __m512 scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_loadu_si512(sums)), multiplier);
    return to_integer(_mm512_add_ps(scaled, offset), high);
}

static constants constants_of(const shrike_conv2d_q_params *p) {
    constants k;
    k.high = _mm512_set1_ps((float)p->high);
    k.low = _mm512_set1_epi8((char)p->low);
    k.residual_a = _mm512_set1_ps(p->residual_a);
    k.residual_b = _mm512_set1_ps(p->residual_b);
    k.residual_c = _mm512_set1_ps(p->residual_c);
    k.residual_high = _mm512_set1_ps((float)p->residual_high);
    k.residual_low = _mm512_set1_epi8((char)p->residual_low);
    for (int i = 0; i < 4; i++) {
        k.table.quarter[i] = p->table ? _mm512_loadu_si512(p->table + 64 * i) : _mm512_setzero_si512();
    }
    return k;
}

/* `columns` sums (1..32) of a pair of pixels, or of one pixel twice, to 64 codes. */
typedef struct columns {
    __m512 multiplier[2], offset[2];
    __mmask32 mask;
} columns;

static inline void store_pair(const shrike_conv2d_q_params *p, const constants *k, const columns *c,
                              const conv2d_q_tile *tile, int64_t first, int64_t column, int64_t second) {
    const int32_t *one = tile->sums + first * tile->sums_stride + column;
    const int32_t *two = tile->sums + second * tile->sums_stride + column;
    int32_t tail[2][32];
    if (c->mask != UINT32_MAX) { /* sums beyond the count may lie beyond the memory */
        int64_t count = __builtin_popcount(c->mask);
        memset(tail, 0, sizeof tail);
        memcpy(tail[0], one, (size_t)count * sizeof *one);
        memcpy(tail[1], two, (size_t)count * sizeof *two);
        one = tail[0];
        two = tail[1];
    }
    __m512i codes = to_bytes(
        scale(one, c->multiplier[0], c->offset[0], k->high), scale(one + 16, c->multiplier[1], c->offset[1], k->high),
        scale(two, c->multiplier[0], c->offset[0], k->high), scale(two + 16, c->multiplier[1], c->offset[1], k->high));
    codes = _mm512_max_epu8(codes, k->low);
    if (p->table) {
        codes = look_up(&k->table, codes);
    }
    const int64_t channel = tile->first + column;
    if (p->residual) {
        const uint8_t *residual = (const uint8_t *)p->residual + channel;
        __m256i lower = _mm256_maskz_loadu_epi8(c->mask, residual + tile->residual[first]);
        __m256i upper = _mm256_maskz_loadu_epi8(c->mask, residual + tile->residual[second]);
        codes = add_residual(k, codes, _mm512_inserti64x4(_mm512_castsi256_si512(lower), upper, 1));
    }
    uint8_t *dst = (uint8_t *)p->dst + channel;
    _mm256_mask_storeu_epi8(dst + tile->dst[first], c->mask, _mm512_castsi512_si256(codes));
    if (second != first) {
        _mm256_mask_storeu_epi8(dst + tile->dst[second], c->mask, _mm512_extracti64x4_epi64(codes, 1));
    }
}

void conv2d_q_codes_x86_avx512vnni(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile) {
    const constants k = constants_of(p);
    for (int64_t column = 0; column < tile->count; column += 32) {
        int64_t left = tile->count - column;
        columns c = {.mask = left >= 32 ? UINT32_MAX : (UINT32_C(1) << left) - 1};
        for (int v = 0; v < 2; v++) {
            __mmask16 mask = (__mmask16)(c.mask >> (16 * v));
            c.multiplier[v] = _mm512_maskz_loadu_ps(mask, p->multiplier + tile->first + column + 16 * v);
            c.offset[v] = _mm512_maskz_loadu_ps(mask, p->offset + tile->first + column + 16 * v);
        }
        for (int64_t i = 0; i < tile->pixels; i += 2) {
            store_pair(p, &k, &c, tile, i, column, i + 1 < tile->pixels ? i + 1 : i);
        }
    }
}
