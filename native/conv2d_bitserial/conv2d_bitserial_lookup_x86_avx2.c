/*
 * Low-bit convolution with AVX2. There is no instruction that counts bits of bytes, but one that looks bytes up in a
 * table of 16: for four activations (a unit) the table holds the sums of every subset of them, and four bits of a
 * weights' plane say which subset. One lookup and one addition do 32 output channels x 4 channels, whatever the width
 * of the activations.
 *
 *     for each unit, pixel p:                table = subsets of the unit's four codes
 *         for each plane i, vector v:        sum[i][v][p] += table[w[i][v]]
 *
 * Tables are not built but loaded: a unit of 2-bit codes is one of 256, 4 KB in all. The packed image holds for each
 * unit the offset of its table in 16 bits; wider codes have a second offset, for their upper two bits.
 */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define LANES 32
#define UNIT 4
#define X_PLANES(bits) 1
#define X_BYTES(bits) ((bits) <= 2 ? 2 : 4)

/* A step adds at most 4 (2^bits - 1) to a byte. */
#define STEPS(w_bits, x_bits) (255 / (4 * ((1 << (x_bits)) - 1)))

/* Unpacking bytes to words works on each half of a register: bytes 0-7 16-23, then 8-15 24-31. */
#define LANE(channel) ((channel) < 8 || (channel) >= 24 ? (channel) : (channel) < 16 ? (channel) + 8 : (channel)-8)

/* Entry s of table u: the sum of the codes (u >> 2 c & 3) whose bit c is set in s. */
#define ENTRY(u, s)                                                                                                    \
    (((s)&1 ? (u)&3 : 0) + ((s)&2 ? (u) >> 2 & 3 : 0) + ((s)&4 ? (u) >> 4 & 3 : 0) + ((s)&8 ? (u) >> 6 & 3 : 0))
#define ENTRIES_4(u, s) ENTRY(u, s), ENTRY(u, s + 1), ENTRY(u, s + 2), ENTRY(u, s + 3)
#define TABLE(u) ENTRIES_4((u), 0), ENTRIES_4((u), 4), ENTRIES_4((u), 8), ENTRIES_4((u), 12)
#define TABLES_4(u) TABLE(u), TABLE((u) + 1), TABLE((u) + 2), TABLE((u) + 3)
#define TABLES_16(u) TABLES_4(u), TABLES_4((u) + 4), TABLES_4((u) + 8), TABLES_4((u) + 12)
#define TABLES_64(u) TABLES_16(u), TABLES_16((u) + 16), TABLES_16((u) + 32), TABLES_16((u) + 48)

static const _Alignas(64) uint8_t subset_sums[4096] = {TABLES_64(0), TABLES_64(64), TABLES_64(128), TABLES_64(192)};

typedef __m256i vec;

static inline vec vec_zero(void) {
    return _mm256_setzero_si256();
}

static inline vec vec_load(const uint8_t *bytes) {
    return _mm256_loadu_si256((const __m256i *)bytes);
}

static inline vec table_at(const uint8_t *offset) {
    uint16_t bytes;
    memcpy(&bytes, offset, sizeof bytes);
    return _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)(subset_sums + bytes)));
}

/* 4 x 3 x 5 = 60 at most, so doubling twice by words carries nothing into a neighbour. */
static inline __attribute__((always_inline)) vec vec_broadcast(const uint8_t *unit, int bits) {
    vec low = table_at(unit);
    return bits <= 2 ? low : _mm256_add_epi8(low, _mm256_slli_epi16(table_at(unit + 2), 2));
}

static inline vec vec_count_add(vec a, vec w, vec x, int sharing) {
    (void)sharing;
    return _mm256_add_epi8(a, _mm256_shuffle_epi8(x, w));
}

/* Weighs two groups at once: a signed byte times an unsigned one, neighbours added; 255 x 12 at most. */
static inline __attribute__((always_inline)) void vec_flush(uint16_t *middle, const vec *groups, int count, int first) {
    const vec zero = _mm256_setzero_si256();
    vec second = count > 1 ? groups[1] : zero;
    vec low = _mm256_maddubs_epi16(_mm256_unpacklo_epi8(groups[0], second), _mm256_set1_epi16(0x0201));
    vec high = _mm256_maddubs_epi16(_mm256_unpackhi_epi8(groups[0], second), _mm256_set1_epi16(0x0201));
    if (count > 2) {
        vec fourth = count > 3 ? groups[3] : zero;
        low = _mm256_add_epi16(
            low, _mm256_maddubs_epi16(_mm256_unpacklo_epi8(groups[2], fourth), _mm256_set1_epi16(0x0804)));
        high = _mm256_add_epi16(
            high, _mm256_maddubs_epi16(_mm256_unpackhi_epi8(groups[2], fourth), _mm256_set1_epi16(0x0804)));
    }
    __m256i *to = (__m256i *)middle;
    _mm256_store_si256(to, first ? low : _mm256_add_epi16(_mm256_load_si256(to), low));
    _mm256_store_si256(to + 1, first ? high : _mm256_add_epi16(_mm256_load_si256(to + 1), high));
}

/* Offsets of the tables of 8 units, 32 codes of 2 bits: 16 (c0 + 4 c1 + 16 c2 + 64 c3), one in 32 bits. */
static inline __m256i offsets_of(__m256i codes) {
    __m256i pairs = _mm256_maddubs_epi16(codes, _mm256_set1_epi16(0x0401));
    return _mm256_slli_epi32(_mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00100001)), 4);
}

static inline int64_t pack_32(__m256i codes, int32_t bits, uint8_t *packed) {
    const __m256i two = _mm256_set1_epi8(3);
    __m256i low = offsets_of(_mm256_and_si256(codes, bits == 1 ? _mm256_set1_epi8(1) : two));
    if (bits <= 2) {
        __m256i words = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, low), 0xd8);
        _mm_storeu_si128((__m128i *)packed, _mm256_castsi256_si128(words));
        return 16;
    }
    __m256i high = offsets_of(_mm256_and_si256(_mm256_srli_epi16(codes, 2), bits == 3 ? _mm256_set1_epi8(1) : two));
    _mm256_storeu_si256((__m256i *)packed, _mm256_or_si256(low, _mm256_slli_epi32(high, 16)));
    return 32;
}

static inline int32_t pack_unit(const uint8_t *codes, int64_t count, int32_t bits, uint8_t *packed) {
    uint32_t low = 0, high = 0, mask = (1u << bits) - 1;
    int32_t sum = 0;
    for (int64_t c = 0; c < count; c++) {
        low |= (codes[c] & mask & 3) << (4 + 2 * c);
        high |= (codes[c] & mask) >> 2 << (4 + 2 * c);
        sum += codes[c];
    }
    uint16_t offsets[2] = {(uint16_t)low, (uint16_t)high};
    memcpy(packed, offsets, bits <= 2 ? 2 : 4);
    return sum;
}

static void pack(const uint8_t *codes, int64_t pixels, int64_t pixel_stride, int32_t channels, int32_t bits,
                 uint8_t *packed, int32_t *sums) {
    for (int64_t i = 0; i < pixels; i++, codes += pixel_stride) {
        __m256i total = _mm256_setzero_si256();
        int64_t c = 0;
        for (; c + 32 <= channels; c += 32) {
            __m256i v = _mm256_loadu_si256((const __m256i *)(codes + c));
            total = _mm256_add_epi64(total, _mm256_sad_epu8(v, _mm256_setzero_si256()));
            packed += pack_32(v, bits, packed);
        }
        __m128i half = _mm_add_epi64(_mm256_castsi256_si128(total), _mm256_extracti128_si256(total, 1));
        int32_t sum = _mm_cvtsi128_si32(_mm_add_epi64(half, _mm_unpackhi_epi64(half, half)));
        for (; c < channels; c += UNIT, packed += X_BYTES(bits)) {
            sum += pack_unit(codes + c, channels - c < UNIT ? channels - c : UNIT, bits, packed);
        }
        sums[i] = sum;
    }
}

#define PACK pack
#define TILES(X)                                                                                                       \
    X(1, 1, 2, 4)                                                                                                      \
    X(1, 1, 1, 8)                                                                                                      \
    X(1, 2, 2, 4)                                                                                                      \
    X(1, 2, 1, 8)                                                                                                      \
    X(1, 3, 2, 4)                                                                                                      \
    X(1, 3, 1, 8)                                                                                                      \
    X(1, 4, 2, 4)                                                                                                      \
    X(1, 4, 1, 8)                                                                                                      \
    X(2, 1, 2, 2)                                                                                                      \
    X(2, 1, 1, 4)                                                                                                      \
    X(2, 2, 2, 2)                                                                                                      \
    X(2, 2, 1, 4)                                                                                                      \
    X(2, 3, 2, 2)                                                                                                      \
    X(2, 3, 1, 4)                                                                                                      \
    X(2, 4, 2, 2)                                                                                                      \
    X(2, 4, 1, 4)                                                                                                      \
    X(3, 1, 1, 3)                                                                                                      \
    X(3, 2, 1, 3)                                                                                                      \
    X(3, 3, 1, 3)                                                                                                      \
    X(3, 4, 1, 3)                                                                                                      \
    X(4, 1, 1, 2)                                                                                                      \
    X(4, 2, 1, 2)                                                                                                      \
    X(4, 3, 1, 2)                                                                                                      \
    X(4, 4, 1, 2)

#include "conv2d_bitserial_kernel.h"
#include "core/cpu.h"

CONV2D_BITSERIAL_DEFINE(conv2d_bitserial_lookup_x86_avx2, SHRIKE_TIER_AVX2, variant)
