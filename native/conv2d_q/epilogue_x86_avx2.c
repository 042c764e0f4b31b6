/*
 * Epilogues with AVX2, 16 codes of two pixels at a time. A table of up to 16 codes is looked up in a register, a longer
 * one in 16 of them.
 */
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#include "epilogue.h"

enum { SIXTEENTHS = 16 };

typedef struct constants {
    __m256 high, residual_a, residual_b, residual_c, residual_high;
    __m256i low, residual_low, short_table;
    __m128i sixteenths[SIXTEENTHS]; /* of a longer table: see look_up */
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

/* Of the lower 8 bytes of each. */
static inline __m256i add_eight(const constants *k, __m128i codes, __m128i residual) {
    __m256 a = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(codes)), k->residual_a);
    __m256 b = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(residual)), k->residual_b);
    return to_integer(_mm256_add_ps(_mm256_add_ps(a, b), k->residual_c), k->residual_high);
}

static inline __m128i upper_eight(__m128i bytes) {
    return _mm_unpackhi_epi64(bytes, bytes);
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

static inline __m256i in_sixteenth(const constants *k, int s, __m256i codes) {
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(k->sixteenths[s]), codes);
}

/*
 * A shuffle gives 0 for negative bytes, else the entry of the lower four bits. So with the codes less 16 s, which
 * saturates at -128, sixteenths 0 to h of a half of the table have a say in a code of its sixteenth h; each but the
 * first is kept as the difference (exclusive or) from the one before, and all of them together are sixteenth h.
 */
static inline __m256i look_up(const constants *k, __m256i codes) {
    const __m256i sixteen = _mm256_set1_epi8(16);
    __m256i lower = codes, upper = _mm256_xor_si256(codes, _mm256_set1_epi8((char)0x80));
    __m256i result = _mm256_xor_si256(in_sixteenth(k, 0, lower), in_sixteenth(k, SIXTEENTHS / 2, upper));
#pragma GCC unroll 8
    for (int s = 1; s < SIXTEENTHS / 2; s++) {
        lower = _mm256_subs_epi8(lower, sixteen);
        upper = _mm256_subs_epi8(upper, sixteen);
        result = _mm256_xor_si256(result, in_sixteenth(k, s, lower));
        result = _mm256_xor_si256(result, in_sixteenth(k, SIXTEENTHS / 2 + s, upper));
    }
    return result;
}

static inline __attribute__((always_inline)) void convert(const shrike_conv2d_q_params *p, const constants *k,
                                                          const columns *c) {
    __m256i codes =
        to_bytes(scale(c, 0, 0, k->high), scale(c, 0, 1, k->high), scale(c, 1, 0, k->high), scale(c, 1, 1, k->high));
    codes = _mm256_max_epu8(codes, k->low);
    if (p->table && p->high < 16) {
        codes = _mm256_shuffle_epi8(k->short_table, codes);
    } else if (p->table) {
        codes = look_up(k, codes);
    }
    if (c->residual[0]) {
        __m128i first = _mm256_castsi256_si128(codes), second = _mm256_extracti128_si256(codes, 1);
        __m128i r = _mm_loadu_si128((const __m128i *)c->residual[0]);
        __m128i s = _mm_loadu_si128((const __m128i *)c->residual[1]);
        codes = to_bytes(add_eight(k, first, r), add_eight(k, upper_eight(first), upper_eight(r)),
                         add_eight(k, second, s), add_eight(k, upper_eight(second), upper_eight(s)));
        codes = _mm256_max_epu8(codes, k->residual_low);
    }
    _mm_storeu_si128((__m128i *)c->dst[1], _mm256_extracti128_si256(codes, 1));
    _mm_storeu_si128((__m128i *)c->dst[0], _mm256_castsi256_si128(codes));
}

static inline __attribute__((always_inline)) void set_constants(const shrike_conv2d_q_params *p, constants *k) {
    k->high = _mm256_set1_ps((float)p->high);
    k->low = _mm256_set1_epi8((char)p->low);
    if (p->residual) {
        k->residual_a = _mm256_set1_ps(p->residual_a);
        k->residual_b = _mm256_set1_ps(p->residual_b);
        k->residual_c = _mm256_set1_ps(p->residual_c);
        k->residual_high = _mm256_set1_ps((float)p->residual_high);
        k->residual_low = _mm256_set1_epi8((char)p->residual_low);
    }
    if (p->table && p->high < 16) {
        k->short_table = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p->table));
    } else if (p->table) {
        __m128i before = _mm_setzero_si128();
        for (int s = 0; s < SIXTEENTHS; s++) {
            __m128i sixteenth = _mm_loadu_si128((const __m128i *)p->table + s);
            k->sixteenths[s] = s == SIXTEENTHS / 2 ? sixteenth : _mm_xor_si128(sixteenth, before);
            before = sixteenth;
        }
    }
}

/* The last columns, fewer than 16, of all pixels, through memory of their own. */
static __attribute__((noinline)) void convert_last(const shrike_conv2d_q_params *p, const constants *k,
                                                   const conv2d_q_tile *tile, int64_t column) {
    const int64_t count = tile->count - column, channel = tile->first + column;
    float multiplier[16] = {0}, offset[16] = {0};
    memcpy(multiplier, p->multiplier + channel, (size_t)count * sizeof(float));
    memcpy(offset, p->offset + channel, (size_t)count * sizeof(float));
    for (int64_t pixel = 0; pixel < tile->pixels; pixel++) {
        int32_t sums[16] = {0};
        uint8_t residual[16] = {0}, codes[16];
        memcpy(sums, tile->sums + pixel * tile->sums_stride + column, (size_t)count * sizeof *sums);
        if (p->residual) {
            memcpy(residual, (const uint8_t *)p->residual + tile->residual[pixel] + channel, (size_t)count);
        }
        const uint8_t *const add = p->residual ? residual : NULL;
        const columns c = {.sums = {sums, sums},
                           .residual = {add, add},
                           .dst = {codes, codes},
                           .multiplier = {_mm256_loadu_ps(multiplier), _mm256_loadu_ps(multiplier + 8)},
                           .offset = {_mm256_loadu_ps(offset), _mm256_loadu_ps(offset + 8)}};
        convert(p, k, &c);
        memcpy((uint8_t *)p->dst + tile->dst[pixel] + channel, codes, (size_t)count);
    }
}

void conv2d_q_codes_x86_avx2(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile) {
    constants k;
    set_constants(p, &k);
    int64_t column = 0;
    for (; column + 16 <= tile->count; column += 16) {
        const int64_t channel = tile->first + column;
        uint8_t *const dst = (uint8_t *)p->dst + channel;
        const uint8_t *const residual = p->residual ? (const uint8_t *)p->residual + channel : NULL;
        const float *const multiplier = p->multiplier + channel, *const offset = p->offset + channel;
        columns c = {.multiplier = {_mm256_loadu_ps(multiplier), _mm256_loadu_ps(multiplier + 8)},
                     .offset = {_mm256_loadu_ps(offset), _mm256_loadu_ps(offset + 8)}};
        for (int64_t i = 0; i < tile->pixels; i += 2) {
            const int64_t next = i + 1 < tile->pixels ? i + 1 : i;
            c.sums[0] = tile->sums + i * tile->sums_stride + column;
            c.sums[1] = tile->sums + next * tile->sums_stride + column;
            c.dst[0] = dst + tile->dst[i];
            c.dst[1] = dst + tile->dst[next];
            c.residual[0] = residual ? residual + tile->residual[i] : NULL;
            c.residual[1] = residual ? residual + tile->residual[next] : NULL;
            convert(p, &k, &c);
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
