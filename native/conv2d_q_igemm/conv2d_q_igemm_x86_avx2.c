/*
 * Int8 convolution with AVX2. vpmaddubsw (unsigned codes times signed weights, pairs added in int16 with saturation) is
 * used only where pairs cannot saturate: 2 * most code * most weight <= 32767, and so are sums of `run` of them, which
 * are then widened. Wider weights are packed in bundles whose sums cannot either; where that would take too many
 * vectors, codes and weights are widened to int16 and go through vpmaddwd, which is exact.
 *
 * Panels are multiplied one by one; the epilogue then takes NP of them at once, which spreads what a call costs.
 * By llvm-mca a step of 4 codes x 16 channels takes 2.0 to 2.2 cycles a pixel in pairs and 3.5 to 3.7 widened, on
 * Sapphire Rapids and on Zen 3.
 */
#include <immintrin.h>

#define MR 6
#define NP 4
#define BUNDLES 1
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

/* Bundles of `size` vectors each: products of a bundle are added in int16, then widened. */
static inline __attribute__((always_inline)) void add_bundles(const tile *t, const int rows, const int size,
                                                              int64_t count, const int32_t **offsets,
                                                              const int8_t **weights, __m256i sums[MR]) {
    const __m256i ones = _mm256_set1_epi16(1);
    const uint8_t *window[MR];
    memcpy(window, t->window, sizeof window);
    const int32_t *offset = *offsets;
    const int8_t *w = *weights;
    for (int64_t j = 0; j < count; j++, offset += size, w += size * CONV2D_Q_VECTOR_BYTES) {
        __m256i vectors[CONV2D_Q_BUNDLE];
        int64_t at[CONV2D_Q_BUNDLE];
#pragma GCC unroll 4
        for (int v = 0; v < size; v++) {
            vectors[v] = load(w + v * CONV2D_Q_VECTOR_BYTES);
            at[v] = offset[v];
        }
#pragma GCC unroll 8
        for (int i = 0; i < rows; i++) {
            __m256i lanes = _mm256_maddubs_epi16(four_codes(window[i] + at[0]), vectors[0]);
#pragma GCC unroll 4
            for (int v = 1; v < size; v++) {
                lanes = _mm256_add_epi16(lanes, _mm256_maddubs_epi16(four_codes(window[i] + at[v]), vectors[v]));
            }
            sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(lanes, ones));
        }
    }
    *offsets = offset;
    *weights = w;
}

static inline __attribute__((always_inline)) void multiply_bundled(tile *t, const int panel, const int rows) {
    for (int h = 0; h < HALVES; h++) {
        const conv2d_q_bundles bundles = conv2d_q_bundles_of(&t->layout, weights_of(t, panel), h);
        const int32_t *offsets = t->offsets + (2 * panel + h) * t->offsets_pitch;
        const int8_t *weights = bundles.weights;
        __m256i sums[MR];
#pragma GCC unroll 8
        for (int i = 0; i < rows; i++) {
            sums[i] = load(t->start + panel * CONV2D_Q_PANEL + 8 * h);
        }
        add_bundles(t, rows, 4, bundles.counts[3], &offsets, &weights, sums);
        add_bundles(t, rows, 3, bundles.counts[2], &offsets, &weights, sums);
        add_bundles(t, rows, 2, bundles.counts[1], &offsets, &weights, sums);
        add_bundles(t, rows, 1, bundles.counts[0], &offsets, &weights, sums);
#pragma GCC unroll 8
        for (int i = 0; i < rows; i++) {
            _mm256_store_si256((__m256i *)(sums_of(t, panel, i) + 8 * h), sums[i]);
        }
    }
}

/* Pairs are widened at once, for runs too short to pay for sums in memory. */
static inline __attribute__((always_inline)) void multiply_pairs(tile *t, const int panel, const int rows) {
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
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++) {
        _mm256_store_si256((__m256i *)sums_of(t, panel, i), sums[i][0]);
        _mm256_store_si256((__m256i *)(sums_of(t, panel, i) + 8), sums[i][1]);
    }
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
FORM(pairs, 6)
FORM(pairs, 3)
FORM(pairs, 1)
FORM(bundled, 6)
FORM(bundled, 3)
FORM(bundled, 1)
FORM(runs, 6)
FORM(runs, 3)
FORM(runs, 1)

static void multiply_tile(tile *t, int rows, int panels) {
    static void (*const forms[4][3])(tile *, int) = {{multiply_wide_1, multiply_wide_3, multiply_wide_6},
                                                     {multiply_pairs_1, multiply_pairs_3, multiply_pairs_6},
                                                     {multiply_runs_1, multiply_runs_3, multiply_runs_6},
                                                     {multiply_bundled_1, multiply_bundled_3, multiply_bundled_6}};
    void (*const form)(tile *, int) =
        forms[t->bundled ? 3 : (t->run > 0) + (t->run >= CONV2D_Q_LONG_RUN)][(rows > 1) + (rows > 3)];
    for (int panel = 0; panel < panels; panel++) {
        form(t, panel);
    }
}

const conv2d_q_kernel conv2d_q_igemm_6x16_x86_avx2_kernel = {
    .name = "conv2d_q_igemm_6x16_x86_avx2",
    .features = SHRIKE_TIER_AVX2,
    .kind = SHRIKE_QKERNEL_INT8,
    .supports = conv2d_q_igemm_supports,
    .packed_size = conv2d_q_bundles_packed_size,
    .pack = conv2d_q_bundles_pack,
    .workspace = TIER(conv2d_q_igemm_workspace),
    .run = TIER(conv2d_q_igemm),
};
