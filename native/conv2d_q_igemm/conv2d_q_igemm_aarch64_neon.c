/*
 * Int8 convolution for plain armv8-a. Codes become signed by taking 128 away (flipping the top bit); two products are
 * added in int16 (SMULL, SMLAL), pairs of those into int32 (SADALP):
 *
 *     for 8 codes: a = codes 0..3 repeated, b = codes 4..7 repeated
 *         for each 2 of 16 channels: lane = a * weights of step 0 + b * weights of step 1;  sum += pairs of lane
 *
 * |product| <= 128 * 128, so two of them fit in int16 unless both weights are -128, which packing looks for: where two
 * such weights meet, each product is added by itself.
 * 16 registers hold sums of 2 pixels x 16 channels, two partial sums a channel.
 */
#if defined(__GNUC__) && !defined(__clang__)
/* GCC's scheduling before register allocation would push some of the 16 sums onto the stack, in the innermost loop. */
#pragma GCC optimize("no-schedule-insns")
#endif

#include <arm_neon.h>

#define MR 2
#define NP 1
#define TIER(name) name##_aarch64_neon

#include "conv2d_q_igemm_kernel.h"

enum { QUARTERS = 4 }; /* of a panel: 4 channels x 4 codes a register */

static inline __attribute__((always_inline)) void add_low(int32x4_t *sum, int8x16_t a, int8x16_t b, int8x16_t wa,
                                                          int8x16_t wb, const int both_fit) {
    int16x8_t lane = vmull_s8(vget_low_s8(a), vget_low_s8(wa));
    if (both_fit) {
        lane = vmlal_s8(lane, vget_low_s8(b), vget_low_s8(wb));
    } else {
        *sum = vpadalq_s16(*sum, vmull_s8(vget_low_s8(b), vget_low_s8(wb)));
    }
    *sum = vpadalq_s16(*sum, lane);
}

static inline __attribute__((always_inline)) void add_high(int32x4_t *sum, int8x16_t a, int8x16_t b, int8x16_t wa,
                                                           int8x16_t wb, const int both_fit) {
    int16x8_t lane = vmull_high_s8(a, wa);
    if (both_fit) {
        lane = vmlal_high_s8(lane, b, wb);
    } else {
        *sum = vpadalq_s16(*sum, vmull_high_s8(b, wb));
    }
    *sum = vpadalq_s16(*sum, lane);
}

static inline __attribute__((always_inline)) void multiply(tile *t, const int rows, const int both_fit) {
    uint8x8_t flip = vdup_n_u8(0x80);
    __asm__("" : "+w"(flip)); /* stays in a register instead of being made anew in the loop */
    int32x4_t sums[MR][2 * QUARTERS];
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++) {
#pragma GCC unroll 8
        for (int q = 0; q < 2 * QUARTERS; q++) {
            sums[i][q] = vdupq_n_s32(0);
        }
    }
    const int8_t *w = t->weights;
    for (int64_t s = 0; s < t->count; s++) {
        const segment *seg = &t->segments[s];
        const uint8_t *pixel[MR];
        for (int i = 0; i < rows; i++) {
            pixel[i] = seg->pixel[i];
        }
        for (int64_t step = 0; step < seg->steps; step += 2, w += 2 * CONV2D_Q_STEP_BYTES) {
            int8x16_t a[MR], b[MR];
#pragma GCC unroll 8
            for (int i = 0; i < rows; i++) {
                uint32x2_t x = vreinterpret_u32_u8(veor_u8(vld1_u8(pixel[i]), flip));
                a[i] = vreinterpretq_s8_u32(vdupq_lane_u32(x, 0));
                b[i] = vreinterpretq_s8_u32(vdupq_lane_u32(x, 1));
                pixel[i] += 8;
            }
#pragma GCC unroll 8
            for (int q = 0; q < QUARTERS; q++) {
                const int8x16_t wa = vld1q_s8(w + 16 * q), wb = vld1q_s8(w + CONV2D_Q_STEP_BYTES + 16 * q);
#pragma GCC unroll 8
                for (int i = 0; i < rows; i++) {
                    add_low(&sums[i][2 * q], a[i], b[i], wa, wb, both_fit);
                    add_high(&sums[i][2 * q + 1], a[i], b[i], wa, wb, both_fit);
                }
            }
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++) {
#pragma GCC unroll 8
        for (int q = 0; q < QUARTERS; q++) {
            int32x4_t sum = vpaddq_s32(sums[i][2 * q], sums[i][2 * q + 1]);
            vst1q_s32(t->sums[i] + 4 * q, vaddq_s32(sum, vld1q_s32(t->start + 4 * q)));
        }
    }
}

static __attribute__((noinline)) void multiply_2(tile *t) {
    multiply(t, 2, 1);
}
static __attribute__((noinline)) void multiply_1(tile *t) {
    multiply(t, 1, 1);
}
static __attribute__((noinline)) void multiply_2_lowest(tile *t) {
    multiply(t, 2, 0);
}
static __attribute__((noinline)) void multiply_1_lowest(tile *t) {
    multiply(t, 1, 0);
}

static void multiply_tile(tile *t, int rows, int panels) {
    (void)panels;
    if (t->run) {
        (rows > 1 ? multiply_2 : multiply_1)(t);
    } else {
        (rows > 1 ? multiply_2_lowest : multiply_1_lowest)(t);
    }
}

const conv2d_q_kernel conv2d_q_igemm_2x16_aarch64_neon_kernel = {
    .name = "conv2d_q_igemm_2x16_aarch64_neon",
    .features = SHRIKE_CPU_NEON,
    .kind = SHRIKE_QKERNEL_INT8,
    .supports = conv2d_q_igemm_supports,
    .packed_size = conv2d_q_igemm_packed_size,
    .pack = conv2d_q_igemm_pack_signed,
    .workspace = TIER(conv2d_q_igemm_workspace),
    .run = TIER(conv2d_q_igemm),
};
