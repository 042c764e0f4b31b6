/*
 * Bit-serial convolution with NEON, armv8-a. 16 to 24 of 32 registers hold counts; on the Cortex-A72 AND, CNT, ADD and
 * DUP retire two a cycle, so a step of a tile costs 3 n / 2 cycles for its n products of vectors and a half for each
 * broadcast, while weights are loaded beside them (native/bench/mca.sh prints the figures).
 */
#if defined(__aarch64__)
/* The core reorders by itself; loads hoisted by the compiler would spill counts to the stack. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include <arm_neon.h>

#include "conv2d_bits_planes.h"

typedef uint8x16_t vec;

#define LANES 16

static inline vec vec_zero(void) {
    return vdupq_n_u8(0);
}

static inline vec vec_load(const uint8_t *bytes) {
    return vld1q_u8(bytes);
}

static inline vec vec_broadcast(const uint8_t *byte, int bits) {
    (void)bits;
    return vld1q_dup_u8(byte);
}

static inline vec vec_count_add(vec a, vec w, vec x) {
    return vaddq_u8(a, vcntq_u8(vandq_u8(w, x)));
}

static inline void vec_flush(uint16_t *middle, const vec *groups, int count) {
    if (count == 1) {
        vst1q_u16(middle, vaddw_u8(vld1q_u16(middle), vget_low_u8(groups[0])));
        vst1q_u16(middle + 8, vaddw_high_u8(vld1q_u16(middle + 8), groups[0]));
        return;
    }
    uint16x8_t low = vshll_n_u8(vget_low_u8(groups[count - 1]), 1), high = vshll_high_n_u8(groups[count - 1], 1);
#pragma GCC unroll 8
    for (int g = count - 2; g > 0; g--) {
        low = vshlq_n_u16(vaddw_u8(low, vget_low_u8(groups[g])), 1);
        high = vshlq_n_u16(vaddw_high_u8(high, groups[g]), 1);
    }
    low = vaddw_u8(low, vget_low_u8(groups[0]));
    high = vaddw_high_u8(high, groups[0]);
    vst1q_u16(middle, vaddq_u16(vld1q_u16(middle), low));
    vst1q_u16(middle + 8, vaddq_u16(vld1q_u16(middle + 8), high));
}

/*
 * Packs 16 codes, two units: a mask leaves bit c of each selected code at its place, and adding neighbours three times
 * makes bytes of them. Planes of a unit lie together, so the last step interleaves.
 */
static inline __attribute__((always_inline)) void pack_16(uint8x16_t codes, const int bits, uint8_t *packed) {
    static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t place = vld1q_u8(places);
    uint8x16_t plane[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        plane[j] = j < bits ? vandq_u8(vtstq_u8(codes, vdupq_n_u8((uint8_t)(1 << j))), place) : vdupq_n_u8(0);
    }
    uint8x16_t sums = vpaddq_u8(plane[0], plane[1]);
    sums = vpaddq_u8(sums, bits > 2 ? vpaddq_u8(plane[2], plane[3]) : sums);
    sums = vpaddq_u8(sums, sums); /* plane 0 units 0 1, plane 1 units 0 1, .. */
    if (bits == 1) {
        vst1q_lane_u16((uint16_t *)(void *)packed, vreinterpretq_u16_u8(sums), 0);
    } else if (bits == 2) {
        const uint8x8_t order = vcreate_u8(UINT64_C(0x03010200));
        uint8x8_t bytes = vtbl1_u8(vget_low_u8(sums), order);
        vst1_lane_u32((uint32_t *)(void *)packed, vreinterpret_u32_u8(bytes), 0);
    } else if (bits == 3) {
        const uint8x8_t order = vcreate_u8(UINT64_C(0x050301040200));
        uint8x8_t bytes = vtbl1_u8(vget_low_u8(sums), order);
        vst1_lane_u32((uint32_t *)(void *)packed, vreinterpret_u32_u8(bytes), 0);
        vst1_lane_u16((uint16_t *)(void *)(packed + 4), vreinterpret_u16_u8(bytes), 2);
    } else {
        vst1_u8(packed, vtbl1_u8(vget_low_u8(sums), vcreate_u8(UINT64_C(0x0705030106040200))));
    }
}

static inline __attribute__((always_inline)) void pack_bits(const uint8_t *codes, int64_t pixels, int64_t pixel_stride,
                                                            int32_t channels, const int bits, uint8_t *packed,
                                                            int32_t *sums) {
    for (int64_t i = 0; i < pixels; i++, codes += pixel_stride) {
        uint32x4_t total = vdupq_n_u32(0);
        int64_t c = 0;
        for (; c + 16 <= channels; c += 16, packed += 2 * bits) {
            uint8x16_t v = vld1q_u8(codes + c);
            total = vpadalq_u16(total, vpaddlq_u8(v));
            pack_16(v, bits, packed);
        }
        int32_t sum = (int32_t)vaddvq_u32(total);
        for (; c < channels; c += UNIT, packed += bits) {
            sum += planes_pack_unit(codes + c, channels - c < UNIT ? channels - c : UNIT, bits, packed);
        }
        sums[i] = sum;
    }
}

static void pack(const uint8_t *codes, int64_t pixels, int64_t pixel_stride, int32_t channels, int32_t bits,
                 uint8_t *packed, int32_t *sums) {
    switch (bits) {
    case 1:
        pack_bits(codes, pixels, pixel_stride, channels, 1, packed, sums);
        break;
    case 2:
        pack_bits(codes, pixels, pixel_stride, channels, 2, packed, sums);
        break;
    case 3:
        pack_bits(codes, pixels, pixel_stride, channels, 3, packed, sums);
        break;
    default:
        pack_bits(codes, pixels, pixel_stride, channels, 4, packed, sums);
    }
}

#define PACK pack
#define TILES(X)                                                                                                       \
    X(1, 1, 4, 5)                                                                                                      \
    X(1, 1, 2, 8)                                                                                                      \
    X(1, 1, 1, 8)                                                                                                      \
    X(1, 2, 4, 2)                                                                                                      \
    X(1, 2, 2, 4)                                                                                                      \
    X(1, 2, 1, 8)                                                                                                      \
    X(1, 3, 4, 1)                                                                                                      \
    X(1, 3, 2, 3)                                                                                                      \
    X(1, 3, 1, 6)                                                                                                      \
    X(1, 4, 4, 1)                                                                                                      \
    X(1, 4, 2, 2)                                                                                                      \
    X(1, 4, 1, 5)                                                                                                      \
    X(2, 1, 4, 2)                                                                                                      \
    X(2, 1, 2, 4)                                                                                                      \
    X(2, 1, 1, 8)                                                                                                      \
    X(2, 2, 2, 3)                                                                                                      \
    X(2, 2, 1, 6)                                                                                                      \
    X(2, 3, 2, 2)                                                                                                      \
    X(2, 3, 1, 5)                                                                                                      \
    X(2, 4, 2, 2)                                                                                                      \
    X(2, 4, 1, 4)                                                                                                      \
    X(3, 1, 2, 3)                                                                                                      \
    X(3, 1, 1, 6)                                                                                                      \
    X(3, 2, 2, 2)                                                                                                      \
    X(3, 2, 1, 5)                                                                                                      \
    X(3, 3, 2, 2)                                                                                                      \
    X(3, 3, 1, 4)                                                                                                      \
    X(3, 4, 1, 3)                                                                                                      \
    X(4, 1, 2, 2)                                                                                                      \
    X(4, 1, 1, 5)                                                                                                      \
    X(4, 2, 1, 4)                                                                                                      \
    X(4, 3, 1, 3)                                                                                                      \
    X(4, 4, 1, 3)

#include "conv2d_bits_kernel.h"

CONV2D_BITS_DEFINE(conv2d_bits_neon, variant)
#else
typedef int conv2d_bits_neon_is_for_aarch64; /* a source file must not be empty */
#endif
