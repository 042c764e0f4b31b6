/*
 * Int8 convolution in plain C, which the compiler turns into what vectors the machine is sure to have.
 */
#define MR 4
#define NP 1
#define TIER(name) name##_portable

#include "conv2d_q_igemm_kernel.h"

static void multiply_tile(tile *t, int rows, int panels) {
    (void)panels;
    for (int i = 0; i < rows; i++) {
        int32_t sums[CONV2D_Q_PANEL];
        memcpy(sums, t->start, sizeof sums);
        const int8_t *w = t->weights;
        for (int64_t s = 0; s < t->count; s++) {
            const uint8_t *x = t->segments[s].pixel[i];
            for (int64_t step = 0; step < t->segments[s].steps; step++, x += CONV2D_Q_STEP, w += CONV2D_Q_STEP_BYTES) {
                const int16_t x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
                for (int c = 0; c < CONV2D_Q_PANEL; c++) {
                    sums[c] += x0 * w[4 * c] + x1 * w[4 * c + 1] + x2 * w[4 * c + 2] + x3 * w[4 * c + 3];
                }
            }
        }
        memcpy(t->sums[i], sums, sizeof sums);
    }
}

const conv2d_q_kernel conv2d_q_igemm_portable_kernel = {
    .name = "conv2d_q_igemm_portable",
    .kind = SHRIKE_QKERNEL_INT8,
    .supports = conv2d_q_igemm_supports,
    .packed_size = conv2d_q_igemm_packed_size,
    .pack = conv2d_q_igemm_pack_unsigned,
    .workspace = TIER(conv2d_q_igemm_workspace),
    .run = TIER(conv2d_q_igemm),
};
