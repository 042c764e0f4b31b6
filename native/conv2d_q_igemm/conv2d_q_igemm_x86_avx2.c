/*
 * Int8 convolution with AVX2. vpmaddubsw (unsigned codes times signed weights, pairs added in int16 with saturation) is
 * used only where pairs cannot saturate: 2 * most code * most weight <= 32767, and so are sums of `run` of them, which
 * are then widened. Wider weights are packed in parts that cannot (the split form); where that would take too many of
 * them, codes and weights are widened to int16 and go through vpmaddwd, which is exact.
 *
 * Panels are multiplied one by one; the epilogue then takes NP of them at once, which spreads what a call costs.
 * By llvm-mca a step of 4 codes x 16 channels takes 2.0 to 2.2 cycles a pixel in pairs and 3.5 to 3.7 widened, on
 * Sapphire Rapids and on Zen 3.
 */
#include <immintrin.h>

#define MR 6
#define NP 4
#define TIER(name) name##_x86_avx2

#include "conv2d_q_igemm_kernel.h"
#include "core/cpu.h"

enum { HALVES = 2 }; /* of a panel: 8 channels a vector; 12 of 16 registers hold sums */

static inline __m256i four_codes(const uint8_t *codes) {
    int32_t four;
    memcpy(&four, codes, sizeof four);
    return _mm256_set1_epi32(four);
}

static inline __m256i load(const void *from) {
    return _mm256_loadu_si256((const __m256i *)from);
}

static inline void add_to(int32_t *sums, __m256i value) {
    _mm256_store_si256((__m256i *)sums, _mm256_add_epi32(_mm256_load_si256((const __m256i *)sums), value));
}

static inline const int8_t *weights_of(const tile *t, int panel) {
    return t->weights + panel * t->panel_bytes;
}

static inline int32_t *sums_of(tile *t, int panel, int pixel) {
    return t->sums[pixel] + panel * CONV2D_Q_PANEL;
}

/* Codes of a segment in steps that are not all filling, and the bytes of weights of those that are. */
static inline int64_t used(const segment *s) {
    return conv2d_q_round_up(s->bytes, CONV2D_Q_STEP);
}
static inline int64_t unused_weights(const segment *s) {
    return (s->steps - used(s) / CONV2D_Q_STEP) * CONV2D_Q_STEP_BYTES;
}

/* Codes 0, 2 and 1, 3 of each four, as int16, times the same weights. */
static inline __attribute__((always_inline)) void multiply_wide(tile *t, const int panel, const int rows) {
    const __m256i low_bytes = _mm256_set1_epi16(0xff);
    const int32_t *const start = t->start + panel * CONV2D_Q_PANEL;
    __m256i sums[MR][HALVES];
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++) {
        sums[i][0] = load(start);
        sums[i][1] = load(start + 8);
    }
    const int8_t *w = weights_of(t, panel);
    for (int64_t s = 0; s < t->count; s++) {
        const segment *seg = &t->segments[s];
        const int64_t bytes = used(seg);
        for (int64_t k = 0; k < bytes; k += CONV2D_Q_STEP, w += CONV2D_Q_STEP_BYTES) {
            __m256i even[HALVES], odd[HALVES];
#pragma GCC unroll 2
            for (int h = 0; h < HALVES; h++) {
                __m256i weights = load(w + 32 * h);
                even[h] = _mm256_srai_epi16(_mm256_slli_epi16(weights, 8), 8);
                odd[h] = _mm256_srai_epi16(weights, 8);
            }
#pragma GCC unroll 8
            for (int i = 0; i < rows; i++) {
                __m256i x = four_codes(seg->pixel[i] + k);
                __m256i x_even = _mm256_and_si256(x, low_bytes), x_odd = _mm256_srli_epi16(x, 8);
#pragma GCC unroll 2
                for (int h = 0; h < HALVES; h++) {
                    sums[i][h] = _mm256_add_epi32(sums[i][h], _mm256_madd_epi16(x_even, even[h]));
                    sums[i][h] = _mm256_add_epi32(sums[i][h], _mm256_madd_epi16(x_odd, odd[h]));
                }
            }
        }
        w += unused_weights(seg);
    }
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++) {
        _mm256_store_si256((__m256i *)sums_of(t, panel, i), sums[i][0]);
        _mm256_store_si256((__m256i *)(sums_of(t, panel, i) + 8), sums[i][1]);
    }
}

/* Codes times the second parts of a panel's weights. */
static inline __attribute__((always_inline)) void multiply_parts(tile *t, const int panel, const int rows,
                                                                 __m256i sums[MR][HALVES]) {
    const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 2
    for (int h = 0; h < HALVES; h++) {
        const conv2d_q_parts parts = conv2d_q_split_parts(&t->layout, (int8_t *)weights_of(t, panel), h);
        const int64_t count = *parts.count;
        for (int64_t j = 0; j < count; j++) {
            const segment *seg = &t->segments[parts.places[j].segment[t->rows]];
            const int64_t k = parts.places[j].offset[t->rows];
            const __m256i weights = load(parts.weights + j * CONV2D_Q_PART_BYTES);
#pragma GCC unroll 8
            for (int i = 0; i < rows; i++) {
                __m256i x = four_codes(seg->pixel[i] + k);
                sums[i][h] = _mm256_add_epi32(sums[i][h], _mm256_madd_epi16(_mm256_maddubs_epi16(x, weights), ones));
            }
        }
    }
}

/* Pairs are widened at once: for runs too short to pay for sums in memory, and for weights in two parts. */
static inline __attribute__((always_inline)) void multiply_pairs(tile *t, const int panel, const int rows,
                                                                 const int split) {
    const __m256i ones = _mm256_set1_epi16(1);
    const int32_t *const start = t->start + panel * CONV2D_Q_PANEL;
    __m256i sums[MR][HALVES];
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++) {
        sums[i][0] = load(start);
        sums[i][1] = load(start + 8);
    }
    const int8_t *w = weights_of(t, panel);
    for (int64_t s = 0; s < t->count; s++) {
        const segment *seg = &t->segments[s];
        const int64_t bytes = used(seg);
        for (int64_t k = 0; k < bytes; k += CONV2D_Q_STEP, w += CONV2D_Q_STEP_BYTES) {
            const __m256i lower = load(w), upper = load(w + 32);
#pragma GCC unroll 8
            for (int i = 0; i < rows; i++) {
                __m256i x = four_codes(seg->pixel[i] + k);
                sums[i][0] = _mm256_add_epi32(sums[i][0], _mm256_madd_epi16(_mm256_maddubs_epi16(x, lower), ones));
                sums[i][1] = _mm256_add_epi32(sums[i][1], _mm256_madd_epi16(_mm256_maddubs_epi16(x, upper), ones));
            }
        }
        w += unused_weights(seg);
    }
    if (split) {
        multiply_parts(t, panel, rows, sums);
    }
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++) {
        _mm256_store_si256((__m256i *)sums_of(t, panel, i), sums[i][0]);
        _mm256_store_si256((__m256i *)(sums_of(t, panel, i) + 8), sums[i][1]);
    }
}

static inline __attribute__((always_inline)) void multiply_plain(tile *t, const int panel, const int rows) {
    multiply_pairs(t, panel, rows, 0);
}

static inline __attribute__((always_inline)) void multiply_split(tile *t, const int panel, const int rows) {
    multiply_pairs(t, panel, rows, 1);
}

/* Sums of `run` pairs in int16 in registers, the int32 sums in memory. */
static inline __attribute__((always_inline)) void multiply_runs(tile *t, const int panel, const int rows) {
    const __m256i ones = _mm256_set1_epi16(1), zero = _mm256_setzero_si256();
    const int32_t *const start = t->start + panel * CONV2D_Q_PANEL;
    __m256i lanes[MR][HALVES];
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++) {
        _mm256_store_si256((__m256i *)sums_of(t, panel, i), load(start));
        _mm256_store_si256((__m256i *)(sums_of(t, panel, i) + 8), load(start + 8));
        lanes[i][0] = lanes[i][1] = zero;
    }
    const int8_t *w = weights_of(t, panel);
    int64_t room = t->run; /* steps until the lanes must widen */
    for (int64_t s = 0; s < t->count; s++) {
        const segment *seg = &t->segments[s];
        for (int64_t step = 0; step < seg->steps;) {
            int64_t left = seg->steps - step, count = left < room ? left : room;
            const int64_t end = (step + count) * CONV2D_Q_STEP;
            for (int64_t k = step * CONV2D_Q_STEP; k < end; k += CONV2D_Q_STEP, w += CONV2D_Q_STEP_BYTES) {
                const __m256i lower = load(w), upper = load(w + 32);
#pragma GCC unroll 8
                for (int i = 0; i < rows; i++) {
                    __m256i x = four_codes(seg->pixel[i] + k);
                    lanes[i][0] = _mm256_add_epi16(lanes[i][0], _mm256_maddubs_epi16(x, lower));
                    lanes[i][1] = _mm256_add_epi16(lanes[i][1], _mm256_maddubs_epi16(x, upper));
                }
            }
            step += count;
            room -= count;
            if (room == 0 || (step == seg->steps && s + 1 == t->count)) {
#pragma GCC unroll 8
                for (int i = 0; i < rows; i++) {
                    add_to(sums_of(t, panel, i), _mm256_madd_epi16(lanes[i][0], ones));
                    add_to(sums_of(t, panel, i) + 8, _mm256_madd_epi16(lanes[i][1], ones));
                    lanes[i][0] = lanes[i][1] = zero;
                }
                room = t->run;
            }
        }
    }
}

#define FORM(kind, rows)                                                                                               \
    static __attribute__((noinline)) void multiply_##kind##_##rows(tile *t, int panel) {                               \
        multiply_##kind(t, panel, rows);                                                                               \
    }
FORM(wide, 6)
FORM(wide, 3)
FORM(wide, 1)
FORM(plain, 6)
FORM(plain, 3)
FORM(plain, 1)
FORM(split, 6)
FORM(split, 3)
FORM(split, 1)
FORM(runs, 6)
FORM(runs, 3)
FORM(runs, 1)

enum { SHORT_RUN = 4 };

static void multiply_tile(tile *t, int rows, int panels) {
    static void (*const forms[4][3])(tile *, int) = {{multiply_wide_1, multiply_wide_3, multiply_wide_6},
                                                     {multiply_plain_1, multiply_plain_3, multiply_plain_6},
                                                     {multiply_runs_1, multiply_runs_3, multiply_runs_6},
                                                     {multiply_split_1, multiply_split_3, multiply_split_6}};
    void (*const form)(tile *, int) =
        forms[t->split ? 3 : (t->run > 0) + (t->run >= SHORT_RUN)][(rows > 1) + (rows > 3)];
    for (int panel = 0; panel < panels; panel++) {
        form(t, panel);
    }
}

const conv2d_q_kernel conv2d_q_igemm_6x16_x86_avx2_kernel = {
    .name = "conv2d_q_igemm_6x16_x86_avx2",
    .features = SHRIKE_TIER_AVX2,
    .kind = SHRIKE_QKERNEL_INT8,
    .supports = conv2d_q_igemm_supports,
    .packed_size = conv2d_q_split_packed_size,
    .pack = conv2d_q_split_pack,
    .workspace = TIER(conv2d_q_igemm_workspace),
    .run = TIER(conv2d_q_igemm),
};
