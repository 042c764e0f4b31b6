/*
 * Int8 convolution with AVX-VNNI, for processors that have vpdpbusd on 256 bits but no AVX-512: four products of
 * unsigned codes with signed weights are added to an int32, exactly. 12 of 16 registers hold sums of 6 pixels x 16
 * channels.
 */
#include <immintrin.h>

#define MR 6
#define NP 1
#define TIER(name) name##_x86_avxvnni

#include "conv2d_q_igemm_kernel.h"
#include "core/cpu.h"

enum { HALVES = 2 }; /* of a panel: 8 channels a vector */

static inline __m256i load(const void *from) {
    return _mm256_loadu_si256((const __m256i *)from);
}

static inline __m256i four_codes(const uint8_t *codes) {
    int32_t four;
    memcpy(&four, codes, sizeof four);
    return _mm256_set1_epi32(four);
}

/* rows is a constant at every call, so that the loops unroll and sums stay in registers. */
static inline __attribute__((always_inline)) void multiply(tile *t, const int rows) {
    __m256i sums[MR][HALVES];
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++) {
        sums[i][0] = load(t->start);
        sums[i][1] = load(t->start + 8);
    }
    const int8_t *w = t->weights;
    for (int64_t s = 0; s < t->count; s++) {
        const segment *seg = &t->segments[s];
        const int64_t bytes = seg->steps * CONV2D_Q_STEP;
        for (int64_t k = 0; k < bytes; k += CONV2D_Q_STEP, w += CONV2D_Q_STEP_BYTES) {
            const __m256i lower = load(w), upper = load(w + 32);
#pragma GCC unroll 8
            for (int i = 0; i < rows; i++) {
                __m256i x = four_codes(seg->pixel[i] + k);
                sums[i][0] = _mm256_dpbusd_avx_epi32(sums[i][0], x, lower);
                sums[i][1] = _mm256_dpbusd_avx_epi32(sums[i][1], x, upper);
            }
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++) {
        _mm256_store_si256((__m256i *)t->sums[i], sums[i][0]);
        _mm256_store_si256((__m256i *)(t->sums[i] + 8), sums[i][1]);
    }
}

#define FORM(rows)                                                                                                     \
    static __attribute__((noinline)) void multiply_##rows(tile *t) {                                                   \
        multiply(t, rows);                                                                                             \
    }
FORM(6)
FORM(3)
FORM(1)

static void multiply_tile(tile *t, int rows, int panels) {
    static void (*const forms[3])(tile *) = {multiply_1, multiply_3, multiply_6};
    (void)panels;
    forms[(rows > 1) + (rows > 3)](t);
}

const conv2d_q_kernel conv2d_q_igemm_6x16_x86_avxvnni_kernel = {
    .name = "conv2d_q_igemm_6x16_x86_avxvnni",
    .features = SHRIKE_TIER_AVXVNNI,
    .kind = SHRIKE_QKERNEL_INT8,
    .supports = conv2d_q_igemm_supports,
    .packed_size = conv2d_q_igemm_packed_size,
    .pack = conv2d_q_igemm_pack_unsigned,
    .workspace = TIER(conv2d_q_igemm_workspace),
    .run = TIER(conv2d_q_igemm),
};
