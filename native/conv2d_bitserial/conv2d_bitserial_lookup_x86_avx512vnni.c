/*
 * Low-bit convolution with AVX-512 VBMI, for activations of one or two bits. vpermb looks 64 bytes up in a table of 64:
 * for six activations (a unit) the table holds the sums of every subset of them, and six bits of a weights' plane say
 * which subset. One lookup and one addition do 64 output channels x 6 channels, whatever the width of the activations.
 *
 *     for each unit, pixel p:                table = subsets of the unit's six codes
 *         for each plane i, vector v:        sum[i][v][p] += table[w[i][v]]
 *
 * The packed image holds each unit's codes in one or two bytes. A unit of 1-bit codes is one of 64 and its table is
 * loaded, from 4 KB; a unit of 2-bit codes would be one of 4096, 256 KB, so its table is added up from those of its
 * halves: the first three codes give 8 sums, repeated eight times, the last three give 8 sums each of which fills 8
 * bytes.
 */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define LANES 64
#define UNIT 6
#define X_PLANES(bits) 1
#define X_BYTES(bits) (bits)

/* A step adds at most 6 (2^bits - 1) to a byte. */
#define STEPS(w_bits, x_bits) (255 / (6 * ((1 << (x_bits)) - 1)))

/* Unpacking bytes to words works on quarters of a register: the lower halves of all quarters come first. */
#define LANE(channel) (((channel)&24) << 1 | ((channel)&32) >> 2 | ((channel)&7))

/* The sum of three 2-bit codes (u >> 2 c & 3) whose bit c is set in s, and of six 1-bit codes. */
#define SUM_3(u, s) (((s)&1 ? (u)&3 : 0) + ((s)&2 ? (u) >> 2 & 3 : 0) + ((s)&4 ? (u) >> 4 & 3 : 0))
#define SUM_6(u, s)                                                                                                    \
    (((u) & (s)&1) + ((u) >> 1 & (s) >> 1 & 1) + ((u) >> 2 & (s) >> 2 & 1) + ((u) >> 3 & (s) >> 3 & 1) +               \
     ((u) >> 4 & (s) >> 4 & 1) + ((u) >> 5 & (s) >> 5 & 1))

#define FIRST(u) SUM_3(u, 0), SUM_3(u, 1), SUM_3(u, 2), SUM_3(u, 3), SUM_3(u, 4), SUM_3(u, 5), SUM_3(u, 6), SUM_3(u, 7)
#define EIGHT(x) x, x, x, x, x, x, x, x
#define LAST(u)                                                                                                        \
    EIGHT(SUM_3(u, 0)), EIGHT(SUM_3(u, 1)), EIGHT(SUM_3(u, 2)), EIGHT(SUM_3(u, 3)), EIGHT(SUM_3(u, 4)),                \
        EIGHT(SUM_3(u, 5)), EIGHT(SUM_3(u, 6)), EIGHT(SUM_3(u, 7))
#define BITS_8(u, s)                                                                                                   \
    SUM_6(u, s), SUM_6(u, s + 1), SUM_6(u, s + 2), SUM_6(u, s + 3), SUM_6(u, s + 4), SUM_6(u, s + 5), SUM_6(u, s + 6), \
        SUM_6(u, s + 7)
#define BITS(u)                                                                                                        \
    BITS_8((u), 0), BITS_8((u), 8), BITS_8((u), 16), BITS_8((u), 24), BITS_8((u), 32), BITS_8((u), 40),                \
        BITS_8((u), 48), BITS_8((u), 56)
#define TABLES_8(table, u)                                                                                             \
    table((u)), table((u) + 1), table((u) + 2), table((u) + 3), table((u) + 4), table((u) + 5), table((u) + 6),        \
        table((u) + 7)
#define TABLES(table)                                                                                                  \
    TABLES_8(table, 0), TABLES_8(table, 8), TABLES_8(table, 16), TABLES_8(table, 24), TABLES_8(table, 32),             \
        TABLES_8(table, 40), TABLES_8(table, 48), TABLES_8(table, 56)

static const _Alignas(64) uint8_t first_three[64 * 8] = {TABLES(FIRST)};
static const _Alignas(64) uint8_t last_three[64 * 64] = {TABLES(LAST)};
static const _Alignas(64) uint8_t six_bits[64 * 64] = {TABLES(BITS)};

typedef __m512i vec;

static inline vec vec_zero(void) {
    return _mm512_setzero_si512();
}

static inline vec vec_load(const uint8_t *bytes) {
    return _mm512_loadu_si512(bytes);
}

static inline __attribute__((always_inline)) vec vec_broadcast(const uint8_t *unit, int bits) {
    if (bits == 1) {
        return _mm512_load_si512(six_bits + 64 * *unit);
    }
    uint16_t codes;
    memcpy(&codes, unit, sizeof codes);
    int64_t first;
    memcpy(&first, first_three + 8 * (codes & 63), sizeof first);
    return _mm512_add_epi8(_mm512_set1_epi64(first), _mm512_load_si512(last_three + (codes & 0xfc0)));
}

/* The addition is spelled out so that it goes to the sum's own register: GCC 12 moves all sums once a step instead. */
static inline __attribute__((always_inline)) vec vec_count_add(vec a, vec w, vec x, int sharing) {
    (void)sharing;
    __asm__("vpaddb %1, %0, %0" : "+v"(a) : "v"(_mm512_permutexvar_epi8(w, x)));
    return a;
}

/* Weighs two groups at once: a signed byte times an unsigned one, neighbours added; 255 x 12 at most. */
static inline __attribute__((always_inline)) void vec_flush(uint16_t *middle, const vec *groups, int count, int first) {
    const vec second = count > 1 ? groups[1] : vec_zero();
    vec low = _mm512_unpacklo_epi8(groups[0], second), high = _mm512_unpackhi_epi8(groups[0], second);
    if (count > 1) {
        low = _mm512_maddubs_epi16(low, _mm512_set1_epi16(0x0201));
        high = _mm512_maddubs_epi16(high, _mm512_set1_epi16(0x0201));
    }
    if (count > 2) {
        const vec fourth = count > 3 ? groups[3] : vec_zero(), weights = _mm512_set1_epi16(0x0804);
        low = _mm512_add_epi16(low, _mm512_maddubs_epi16(_mm512_unpacklo_epi8(groups[2], fourth), weights));
        high = _mm512_add_epi16(high, _mm512_maddubs_epi16(_mm512_unpackhi_epi8(groups[2], fourth), weights));
    }
    _mm512_store_si512(middle, first ? low : _mm512_add_epi16(_mm512_load_si512(middle), low));
    _mm512_store_si512(middle + 32, first ? high : _mm512_add_epi16(_mm512_load_si512(middle + 32), high));
}

/* Up to 48 codes, the others 0, as 8 units of 64 bits: each code's bits moved to their place and added up. */
static inline __m512i units_of(__m512i codes, int32_t bits) {
    const __m512i spread =
        _mm512_setr_epi64(0x3f3f050403020100, 0x3f3f0b0a09080706, 0x3f3f11100f0e0d0c, 0x3f3f171615141312,
                          0x3f3f1d1c1b1a1918, 0x3f3f232221201f1e, 0x3f3f292827262524, 0x3f3f2f2e2d2c2b2a);
    codes = _mm512_and_si512(_mm512_permutexvar_epi8(spread, codes), _mm512_set1_epi8((char)((1 << bits) - 1)));
    __m512i pairs = _mm512_maddubs_epi16(codes, _mm512_set1_epi16((int16_t)(1 | 1 << (8 + bits))));
    const int64_t second = INT64_C(1) << 2 * bits, third = INT64_C(1) << 4 * bits;
    __m512i parts = _mm512_madd_epi16(pairs, _mm512_set1_epi64(1 | second << 16 | third << 32));
    return _mm512_add_epi64(parts, _mm512_srli_epi64(parts, 32));
}

enum { STRIP = 48 };

/* Writes `bytes` of the units; more, up to 16, where `room` allows it: what follows is written later. */
static inline void store_units(uint8_t *packed, __m512i units, int32_t bits, int64_t bytes, int64_t room) {
    __m128i narrow = bits == 1 ? _mm512_cvtepi64_epi8(units) : _mm512_cvtepi64_epi16(units);
    if (room >= 16) {
        _mm_storeu_si128((__m128i *)packed, narrow);
    } else {
        memcpy(packed, &narrow, (size_t)bytes);
    }
}

/* Whole strips are stored without a mask, which costs nothing beyond their end: see store_units. */
static void pack(const uint8_t *codes, int64_t pixels, int64_t pixel_stride, int32_t channels, int32_t bits,
                 uint8_t *packed, int32_t *sums) {
    int64_t room = pixels * ((channels + UNIT - 1) / UNIT * X_BYTES(bits));
    for (int64_t i = 0; i < pixels; i++, codes += pixel_stride) {
        __m512i total = _mm512_setzero_si512();
        for (int64_t c = 0; c < channels; c += STRIP) {
            const int64_t count = channels - c < STRIP ? channels - c : STRIP;
            const int64_t bytes = (count + UNIT - 1) / UNIT * X_BYTES(bits);
            __m512i v = _mm512_maskz_loadu_epi8((UINT64_C(1) << count) - 1, codes + c);
            total = _mm512_add_epi64(total, _mm512_sad_epu8(v, _mm512_setzero_si512()));
            store_units(packed, units_of(v, bits), bits, bytes, room);
            packed += bytes;
            room -= bytes;
        }
        sums[i] = (int32_t)_mm512_reduce_add_epi64(total);
    }
}

#define PACK pack
#define TILES(X)                                                                                                       \
    X(1, 1, 2, 4)                                                                                                      \
    X(1, 1, 1, 8)                                                                                                      \
    X(1, 2, 2, 4)                                                                                                      \
    X(1, 2, 1, 8)                                                                                                      \
    X(2, 1, 2, 4)                                                                                                      \
    X(2, 1, 1, 8)                                                                                                      \
    X(2, 2, 2, 4)                                                                                                      \
    X(2, 2, 1, 8)                                                                                                      \
    X(3, 1, 2, 3)                                                                                                      \
    X(3, 1, 1, 6)                                                                                                      \
    X(3, 2, 2, 3)                                                                                                      \
    X(3, 2, 1, 6)                                                                                                      \
    X(4, 1, 1, 4)                                                                                                      \
    X(4, 2, 1, 4)

#include "conv2d_bitserial_kernel.h"
#include "core/cpu.h"

CONV2D_BITSERIAL_DEFINE(conv2d_bitserial_lookup_x86_avx512vnni, SHRIKE_TIER_AVX512VNNI, variant)
