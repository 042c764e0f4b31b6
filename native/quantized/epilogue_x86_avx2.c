/*
 * Epilogues with AVX2, a pixel's 64 or 32 codes at a time. A table of up to 16 codes is looked up in a register, a
 * longer one in 16 of them.
 */
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#include "epilogue.h"

enum { VECTOR = 32, FEW = 16, SIXTEENTHS = 16 };

typedef struct constants {
    __m256 high, residual_a, residual_b, residual_c, residual_high;
    __m256i low, residual_low, short_table;
    __m128i differences[SIXTEENTHS]; /* of a longer table: see look_up */
    int long_table;
} constants;

static inline __attribute__((always_inline)) void set_constants(const shrike_conv2d_q_params *p, constants *k) {
    k->high = _mm256_set1_ps((float)p->high);
    k->low = _mm256_set1_epi8((char)p->low);
    k->residual_a = _mm256_set1_ps(p->residual_a);
    k->residual_b = _mm256_set1_ps(p->residual_b);
    k->residual_c = _mm256_set1_ps(p->residual_c);
    k->residual_high = _mm256_set1_ps((float)p->residual_high);
    k->residual_low = _mm256_set1_epi8((char)p->residual_low);
    k->short_table = _mm256_setzero_si256();
    k->long_table = p->table && p->high >= SIXTEENTHS;
    if (k->long_table) {
        __m128i before = _mm_setzero_si128();
        for (int s = 0; s < SIXTEENTHS; s++) {
            __m128i sixteenth = _mm_loadu_si128((const __m128i *)p->table + s);
            k->differences[s] = s == SIXTEENTHS / 2 ? sixteenth : _mm_xor_si128(sixteenth, before);
            before = sixteenth;
        }
    } else if (p->table) {
        k->short_table = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p->table));
    }
}

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

static inline __m256i scale(__m256i sums, __m256 multiplier, __m256 offset, __m256 high) {
    return to_integer(_mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(sums), multiplier), offset), high);
}

static inline __m256i scale_eight(const constants *k, const int32_t *sums, const float *multiplier,
                                  const float *offset) {
    __m256i integers = _mm256_loadu_si256((const __m256i *)sums);
    return scale(integers, _mm256_loadu_ps(multiplier), _mm256_loadu_ps(offset), k->high);
}

/* Else the compiler adds up all terms as a tree, for which it needs more registers than there are. */
#define IN_THIS_ORDER(a, b, c) __asm__("" : "+x"(a), "+x"(b), "+x"(c))

/*
 * A shuffle gives 0 for negative bytes, else the entry of the lower four bits. So with the lower seven bits of a code
 * less 16 s, sixteenths 0 to h of either half of the table have a say in a code of sixteenth h. Each of them but the
 * first is kept as the difference (exclusive or) from the one before, and all together are sixteenth h.
 */
static inline __attribute__((always_inline)) void look_up(const constants *k, __m256i *codes, const int vectors) {
    const __m256i sixteen = _mm256_set1_epi8(16), seven_bits = _mm256_set1_epi8(0x7f);
    __m256i index[2], lower[2], upper[2];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
        index[v] = _mm256_and_si256(codes[v], seven_bits);
        lower[v] = upper[v] = _mm256_setzero_si256();
    }
#pragma GCC unroll 8
    for (int s = 0; s < SIXTEENTHS / 2; s++) {
        const __m256i a = _mm256_broadcastsi128_si256(k->differences[s]);
        const __m256i b = _mm256_broadcastsi128_si256(k->differences[SIXTEENTHS / 2 + s]);
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            lower[v] = _mm256_xor_si256(lower[v], _mm256_shuffle_epi8(a, index[v]));
            upper[v] = _mm256_xor_si256(upper[v], _mm256_shuffle_epi8(b, index[v]));
            index[v] = _mm256_sub_epi8(index[v], sixteen);
            IN_THIS_ORDER(lower[v], upper[v], index[v]);
        }
    }
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
        codes[v] = _mm256_blendv_epi8(lower[v], upper[v], codes[v]);
    }
}

/* Eight codes and their residual: the lower 8 bytes of each. */
static inline __m256i add_eight(const constants *k, __m128i codes, __m128i residual) {
    __m256 a = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(codes)), k->residual_a);
    __m256 b = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(residual)), k->residual_b);
    return to_integer(_mm256_add_ps(_mm256_add_ps(a, b), k->residual_c), k->residual_high);
}

static inline __m128i upper_eight(__m128i bytes) {
    return _mm_unpackhi_epi64(bytes, bytes);
}

static inline __m256i add(const constants *k, __m256i codes, __m256i residual) {
    __m128i first = _mm256_castsi256_si128(codes), second = _mm256_extracti128_si256(codes, 1);
    __m128i r = _mm256_castsi256_si128(residual), s = _mm256_extracti128_si256(residual, 1);
    __m256i bytes = to_bytes(add_eight(k, first, r), add_eight(k, upper_eight(first), upper_eight(r)),
                             add_eight(k, second, s), add_eight(k, upper_eight(second), upper_eight(s)));
    return _mm256_max_epu8(bytes, k->residual_low);
}

static inline __attribute__((always_inline)) void finish(const shrike_conv2d_q_params *p, const constants *k,
                                                         __m256i *codes, const int vectors) {
    if (k->long_table) {
        look_up(k, codes, vectors);
    } else if (p->table) {
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            codes[v] = _mm256_shuffle_epi8(k->short_table, codes[v]);
        }
    }
}

/* 32 or 64 columns of all pixels. */
static inline __attribute__((always_inline)) void convert(const shrike_conv2d_q_params *p, const constants *k,
                                                          const conv2d_q_tile *tile, int64_t column,
                                                          const int vectors) {
    const int64_t channel = tile->first + column;
    const float *const multiplier = p->multiplier + channel, *const offset = p->offset + channel;
    const int32_t *sums = tile->sums + column;
    for (int64_t i = 0; i < tile->pixels; i++, sums += tile->sums_stride) {
        __m256i codes[2];
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            __m256i part[4];
#pragma GCC unroll 4
            for (int q = 0; q < 4; q++) {
                const int at = VECTOR * v + 8 * q;
                part[q] = scale_eight(k, sums + at, multiplier + at, offset + at);
            }
            codes[v] = _mm256_max_epu8(to_bytes(part[0], part[1], part[2], part[3]), k->low);
        }
        finish(p, k, codes, vectors);
        uint8_t *dst = (uint8_t *)p->dst + tile->dst[i] + channel;
        const uint8_t *residual = p->residual ? (const uint8_t *)p->residual + tile->residual[i] + channel : NULL;
#pragma GCC unroll 2
        for (int v = 0; residual && v < vectors; v++) {
            codes[v] = add(k, codes[v], _mm256_loadu_si256((const __m256i *)residual + v));
        }
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            _mm256_storeu_si256((__m256i *)dst + v, codes[v]);
        }
    }
}

static inline __m256i lanes_below(int64_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* Up to 16 columns of all pixels. */
static void convert_few(const shrike_conv2d_q_params *p, const constants *k, const conv2d_q_tile *tile,
                        int64_t column) {
    const int64_t count = tile->count - column < FEW ? tile->count - column : FEW, channel = tile->first + column;
    const __m256i first = lanes_below(count), second = lanes_below(count - 8);
    const float *const multiplier = p->multiplier + channel, *const offset = p->offset + channel;
    const __m256 m0 = _mm256_maskload_ps(multiplier, first), m1 = _mm256_maskload_ps(multiplier + 8, second);
    const __m256 o0 = _mm256_maskload_ps(offset, first), o1 = _mm256_maskload_ps(offset + 8, second);
    for (int64_t i = 0; i < tile->pixels; i++) {
        const int32_t *sums = tile->sums + i * tile->sums_stride + column;
        __m256i a = scale(_mm256_maskload_epi32(sums, first), m0, o0, k->high);
        __m256i b = scale(_mm256_maskload_epi32(sums + 8, second), m1, o1, k->high);
        __m256i codes = _mm256_max_epu8(to_bytes(a, b, a, b), k->low);
        finish(p, k, &codes, 1);
        uint8_t bytes[FEW] = {0};
        if (p->residual) {
            memcpy(bytes, (const uint8_t *)p->residual + tile->residual[i] + channel, (size_t)count);
            codes = add(k, codes, _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)bytes)));
        }
        uint8_t *dst = (uint8_t *)p->dst + tile->dst[i] + channel;
        if (count == FEW) {
            _mm_storeu_si128((__m128i *)dst, _mm256_castsi256_si128(codes));
        } else {
            _mm_storeu_si128((__m128i *)bytes, _mm256_castsi256_si128(codes));
            memcpy(dst, bytes, (size_t)count);
        }
    }
}

void conv2d_q_codes_x86_avx2(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile) {
    constants k;
    set_constants(p, &k);
    int64_t column = 0;
    for (; column + 2 * VECTOR <= tile->count; column += 2 * VECTOR) {
        convert(p, &k, tile, column, 2);
    }
    for (; column + VECTOR <= tile->count; column += VECTOR) {
        convert(p, &k, tile, column, 1);
    }
    for (; column < tile->count; column += FEW) {
        convert_few(p, &k, tile, column);
    }
}
