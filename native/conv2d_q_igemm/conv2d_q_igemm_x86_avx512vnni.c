/*
 * Int8 convolution with AVX-512 VNNI: vpdpbusd multiplies unsigned codes with signed weights and adds four products to
 * an int32, exactly. 24 of 32 registers hold sums of 12 pixels x 32 channels.
 */
#include <immintrin.h>

#define MR 12
#define NP 2
#define TIER(name) name##_x86_avx512vnni

#include "conv2d_q_igemm_kernel.h"
#include "core/cpu.h"

static inline __m512i four_codes(const uint8_t *codes) {
    int32_t four;
    memcpy(&four, codes, sizeof four);
    return _mm512_set1_epi32(four);
}

/* rows and panels are constants at every call, so that the loops unroll and sums stay in registers. */
static inline __attribute__((always_inline)) void multiply(tile *t, const int rows, const int panels) {
    __m512i sums[MR][NP];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
#pragma GCC unroll 16
        for (int v = 0; v < panels; v++) {
            sums[i][v] = _mm512_loadu_si512(t->start + v * CONV2D_Q_PANEL);
        }
    }
    const int8_t *w = t->weights;
    const int64_t panel_bytes = t->panel_bytes;
    for (int64_t s = 0; s < t->count; s++) {
        const segment *seg = &t->segments[s];
        const int64_t bytes = seg->steps * CONV2D_Q_STEP;
        for (int64_t k = 0; k < bytes; k += CONV2D_Q_STEP, w += CONV2D_Q_STEP_BYTES) {
            __m512i weights[NP];
            weights[0] = _mm512_loadu_si512(w);
            if (panels > 1) {
                weights[panels - 1] = _mm512_loadu_si512(w + panel_bytes);
            }
#pragma GCC unroll 16
            for (int i = 0; i < rows; i++) {
                __m512i x = four_codes(seg->pixel[i] + k);
#pragma GCC unroll 16
                for (int v = 0; v < panels; v++) {
                    sums[i][v] = _mm512_dpbusd_epi32(sums[i][v], x, weights[v]);
                }
            }
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
#pragma GCC unroll 16
        for (int v = 0; v < panels; v++) {
            _mm512_store_si512(t->sums[i] + v * CONV2D_Q_PANEL, sums[i][v]);
        }
    }
}

#define FORM(rows, panels)                                                                                             \
    static __attribute__((noinline)) void multiply_##rows##_##panels(tile *t) {                                        \
        multiply(t, rows, panels);                                                                                     \
    }
FORM(12, 2)
FORM(6, 2)
FORM(3, 2)
FORM(1, 2)
FORM(12, 1)
FORM(6, 1)
FORM(3, 1)
FORM(1, 1)

static void multiply_tile(tile *t, int rows, int panels) {
    static void (*const forms[NP][4])(tile *) = {{multiply_1_1, multiply_3_1, multiply_6_1, multiply_12_1},
                                                 {multiply_1_2, multiply_3_2, multiply_6_2, multiply_12_2}};
    forms[panels - 1][(rows > 1) + (rows > 3) + (rows > 6)](t);
}

const conv2d_q_kernel conv2d_q_igemm_12x32_x86_avx512vnni_kernel = {
    .name = "conv2d_q_igemm_12x32_x86_avx512vnni",
    .features = SHRIKE_TIER_AVX512VNNI,
    .kind = SHRIKE_QKERNEL_INT8,
    .supports = conv2d_q_igemm_supports,
    .packed_size = conv2d_q_igemm_packed_size,
    .pack = conv2d_q_igemm_pack_unsigned,
    .workspace = TIER(conv2d_q_igemm_workspace),
    .run = TIER(conv2d_q_igemm),
};
