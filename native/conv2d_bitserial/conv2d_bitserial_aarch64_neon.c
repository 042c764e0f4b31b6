/*
 * Bit-serial convolution with NEON, armv8-a. 16 to 24 of 32 registers hold counts; on the Cortex-A72 AND, CNT, ADD and
 * DUP retire two a cycle, so a step of a tile costs 3 n / 2 cycles for its n products of vectors and a half for each
 * broadcast, while weights are loaded beside them (native/bench/mca.sh prints the figures).
 */
/* The core reorders by itself; loads hoisted by the compiler would spill counts to the stack. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include <arm_neon.h>

#include "conv2d_bitserial.h"
#include "conv2d_bitserial_planes.h"

typedef uint8x16_t vec;

#define LANES 16

static inline vec vec_zero(void) {
    return vdupq_n_u8(0);
}

static inline vec vec_load(const uint8_t *bytes) {
    return vld1q_u8(bytes);
}

/* The planes of a unit by one load and a broadcast for each; GCC has no intrinsic that loads two bytes and no more. */
#define LOAD_LANES(to, width, type, at) __asm__("ldr %" width "0, %1" : "=w"(to) : "m"(*(const type *)(at)))
#define BITS_LOAD(planes, at, x_bits)                                                                                  \
    do {                                                                                                               \
        uint8x16_t unit, third;                                                                                        \
        if ((x_bits) == 1) {                                                                                           \
            (planes)[0] = vld1q_dup_u8(at);                                                                            \
            break;                                                                                                     \
        }                                                                                                              \
        if ((x_bits) <= 3) {                                                                                           \
            LOAD_LANES(unit, "h", uint16_t __attribute__((may_alias, aligned(1))), at);                                \
        } else {                                                                                                       \
            LOAD_LANES(unit, "s", uint32_t __attribute__((may_alias, aligned(1))), at);                                \
        }                                                                                                              \
        (planes)[0] = vdupq_laneq_u8(unit, 0);                                                                         \
        (planes)[1] = vdupq_laneq_u8(unit, 1);                                                                         \
        if ((x_bits) == 3) {                                                                                           \
            LOAD_LANES(third, "b", uint8_t, (at) + 2);                                                                 \
            (planes)[2] = vdupq_laneq_u8(third, 0);                                                                    \
        } else if ((x_bits) > 3) {                                                                                     \
            (planes)[2] = vdupq_laneq_u8(unit, 2);                                                                     \
            (planes)[3] = vdupq_laneq_u8(unit, 3);                                                                     \
        }                                                                                                              \
    } while (0)

/* Where products share a sum GCC adds their counts first and then spills other sums, so that is spelled out. */
static inline __attribute__((always_inline)) vec vec_count_add(vec a, vec w, vec x, const int sharing) {
    if (sharing == 1) {
        return vaddq_u8(a, vcntq_u8(vandq_u8(w, x)));
    }
    vec bits;
    __asm__("and %1.16b, %2.16b, %3.16b\n\tcnt %1.16b, %1.16b\n\tadd %0.16b, %0.16b, %1.16b"
            : "+w"(a), "=&w"(bits)
            : "w"(w), "w"(x));
    return a;
}

#ifndef __clang__
/* Two vectors by one load. */
#define BITS_LOAD_PAIR(first, second, at)                                                                              \
    __asm__("ldp %q0, %q1, %2" : "=w"(first), "=w"(second) : "Ump"(*(const uint8x16_t *)(at)))
#endif

static inline void vec_store(uint8_t *bytes, vec v) {
    vst1q_u8(bytes, v);
}

/* 2^g in each lane, made where it is used: GCC would keep it in a register throughout the loop, which has none left. */
static inline __attribute__((always_inline)) uint8x16_t vec_power_of_two(int g) {
    uint8x16_t power;
    switch (g) {
    case 2:
        __asm__ volatile("movi %0.16b, 4" : "=w"(power));
        break;
    case 3:
        __asm__ volatile("movi %0.16b, 8" : "=w"(power));
        break;
    case 4:
        __asm__ volatile("movi %0.16b, 16" : "=w"(power));
        break;
    case 5:
        __asm__ volatile("movi %0.16b, 32" : "=w"(power));
        break;
    default:
        __asm__ volatile("movi %0.16b, 64" : "=w"(power));
    }
    return power;
}

/*
 * before + sum over g < count of groups[g] << g, of 16 lanes; before is null for nothing. The first two groups by
 * shifting, the others by multiplying.
 */
static inline __attribute__((always_inline)) uint16x8x2_t vec_weigh(const uint16_t *before, const vec *groups,
                                                                    int count) {
    uint16x8_t low, high;
    if (count == 1) {
        low = before ? vaddw_u8(vld1q_u16(before), vget_low_u8(groups[0])) : vmovl_u8(vget_low_u8(groups[0]));
        high = before ? vaddw_high_u8(vld1q_u16(before + 8), groups[0]) : vmovl_high_u8(groups[0]);
        return (uint16x8x2_t){{low, high}};
    }
    low = vaddw_u8(vshll_n_u8(vget_low_u8(groups[1]), 1), vget_low_u8(groups[0]));
    high = vaddw_high_u8(vshll_high_n_u8(groups[1], 1), groups[0]);
#pragma GCC unroll 8
    for (int g = 2; g < count; g++) {
        uint8x16_t weight = vec_power_of_two(g);
        low = vmlal_u8(low, vget_low_u8(groups[g]), vget_low_u8(weight));
        high = vmlal_high_u8(high, groups[g], weight);
    }
    if (before) {
        low = vaddq_u16(vld1q_u16(before), low);
        high = vaddq_u16(vld1q_u16(before + 8), high);
    }
    return (uint16x8x2_t){{low, high}};
}

static inline __attribute__((always_inline)) void vec_flush(uint16_t *middle, const vec *groups, int count, int first) {
    uint16x8x2_t sums = vec_weigh(first ? NULL : middle, groups, count);
    vst1q_u16(middle, sums.val[0]);
    vst1q_u16(middle + 8, sums.val[1]);
}

/* Thresholds of 16 channels in registers; only the first few, where the compiler knows their number. */
typedef struct vec_limits {
    int16x8_t low[3], high[3];
} vec_limits;

static inline __attribute__((always_inline)) vec_limits vec_limits_of(const conv2d_bitserial_thresholds *t,
                                                                      const int rises) {
    vec_limits limits;
#pragma GCC unroll 3
    for (int i = 0; i < rises; i++) {
        limits.low[i] = vld1q_s16(t->values + i * t->stride);
        limits.high[i] = vld1q_s16(t->values + i * t->stride + 8);
    }
    return limits;
}

/* Less one for each of the thresholds that a sum reaches, plus one for each of those that fall. */
static inline int16x8_t reached(int16x8_t sums, const conv2d_bitserial_thresholds *t, const int16_t *values) {
    int16x8_t count = vdupq_n_s16(0);
    for (int32_t i = 0; i < t->count; i++, values += t->stride) {
        int16x8_t more = vreinterpretq_s16_u16(vcgeq_s16(sums, vld1q_s16(values)));
        count = i < t->falls ? vsubq_s16(count, more) : vaddq_s16(count, more);
    }
    return count;
}

static inline __attribute__((always_inline)) int16x8_t reached_of(int16x8_t sums, const int16x8_t *limits,
                                                                  const int rises) {
    int16x8_t count = vreinterpretq_s16_u16(vcgeq_s16(sums, limits[0]));
#pragma GCC unroll 3
    for (int i = 1; i < rises; i++) {
        count = vaddq_s16(count, vreinterpretq_s16_u16(vcgeq_s16(sums, limits[i])));
    }
    return count;
}

static inline __attribute__((always_inline)) vec vec_codes(const vec *groups, int count, const uint16_t *middle,
                                                           const int shift, int16_t base,
                                                           const conv2d_bitserial_thresholds *t,
                                                           const vec_limits *limits, const int rises) {
    uint16x8x2_t sums = vec_weigh(middle, groups, count);
    if (shift) {
        sums.val[0] = vaddq_u16(sums.val[0], sums.val[0]);
        sums.val[1] = vaddq_u16(sums.val[1], sums.val[1]);
    }
    int16x8_t low = vaddq_s16(vreinterpretq_s16_u16(sums.val[0]), vdupq_n_s16(base));
    int16x8_t high = vaddq_s16(vreinterpretq_s16_u16(sums.val[1]), vdupq_n_s16(base));
    low = rises ? reached_of(low, limits->low, rises) : reached(low, t, t->values);
    high = rises ? reached_of(high, limits->high, rises) : reached(high, t, t->values + 8);
    int8x16_t all = vmovn_high_s16(vmovn_s16(low), high);
    return vsubq_u8(vdupq_n_u8((uint8_t)t->start), vreinterpretq_u8_s8(all));
}

#define THRESHOLDS 1

/* Bit `plane` of each code at the place that it takes in its unit's byte. */
static inline uint8x16_t plane_of(uint8x16_t codes, int plane) {
    static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    return vandq_u8(vtstq_u8(codes, vdupq_n_u8((uint8_t)(1 << plane))), vld1q_u8(places));
}

/* Plane 0 of 16 codes, 4 bytes a unit, then plane 1. */
static inline uint8x16_t planes_0_1(uint8x16_t codes) {
    return vpaddq_u8(plane_of(codes, 0), plane_of(codes, 1));
}

static inline uint8x16_t planes_2_3(uint8x16_t codes, int bits) {
    return vpaddq_u8(plane_of(codes, 2), bits == 3 ? vdupq_n_u8(0) : plane_of(codes, 3));
}

/*
 * Packs 32 codes, four units. Adding neighbours three times makes bytes of bits; what is added side by side decides
 * where they end up, and a permutation puts the planes of a unit together.
 */
static inline __attribute__((always_inline)) void pack_32(uint8x16_t a, uint8x16_t b, const int bits, uint8_t *packed) {
    static const uint8_t order_2[8] = {0, 2, 1, 3, 4, 6, 5, 7};
    static const uint8_t order_3[16] = {0, 2, 4, 1, 3, 5, 8, 10, 12, 9, 11, 13, 0, 0, 0, 0};
    static const uint8_t order_4[16] = {0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15};
    if (bits == 1) {
        uint8x16_t sums = vpaddq_u8(plane_of(a, 0), plane_of(b, 0));
        sums = vpaddq_u8(sums, sums);
        uint32_t bytes = vgetq_lane_u32(vreinterpretq_u32_u8(vpaddq_u8(sums, sums)), 0);
        memcpy(packed, &bytes, sizeof bytes);
    } else if (bits == 2) {
        uint8x16_t sums = vpaddq_u8(planes_0_1(a), planes_0_1(b));
        vst1_u8(packed, vqtbl1_u8(vpaddq_u8(sums, sums), vld1_u8(order_2)));
    } else {
        uint8x16_t sums =
            vpaddq_u8(vpaddq_u8(planes_0_1(a), planes_2_3(a, bits)), vpaddq_u8(planes_0_1(b), planes_2_3(b, bits)));
        sums = vqtbl1q_u8(sums, vld1q_u8(bits == 3 ? order_3 : order_4));
        if (bits == 3) {
            uint32_t last = vgetq_lane_u32(vreinterpretq_u32_u8(sums), 2);
            vst1_u8(packed, vget_low_u8(sums));
            memcpy(packed + 8, &last, sizeof last);
        } else {
            vst1q_u8(packed, sums);
        }
    }
}

/* The 16 last of at least 16 codes, less the first `skip` of them, and zeros. */
static inline uint8x16_t last_of(const uint8_t *end, int64_t skip) {
    static const uint8_t places[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return vqtbl1q_u8(vld1q_u8(end - 16), vaddq_u8(vld1q_u8(places), vdupq_n_u8((uint8_t)skip)));
}

/* The codes from c on, less than 32 of the at least 16 there are, filled up with zeros. */
static inline uint8x16x2_t rest_of(const uint8_t *codes, int64_t c, int64_t channels) {
    int64_t count = channels - c;
    if (count < 16) {
        return (uint8x16x2_t){{last_of(codes + channels, 16 - count), vdupq_n_u8(0)}};
    }
    return (uint8x16x2_t){{vld1q_u8(codes + c), last_of(codes + channels, 32 - count)}};
}

static inline __attribute__((always_inline)) void pack_bits(const uint8_t *codes, int64_t pixels, int64_t pixel_stride,
                                                            int32_t channels, const int bits, uint8_t *packed,
                                                            int32_t *sums) {
    for (int64_t i = 0; i < pixels; i++, codes += pixel_stride) {
        uint32x4_t total = vdupq_n_u32(0);
        int64_t c = 0;
        for (; c + 32 <= channels; c += 32, packed += 4 * bits) {
            uint8x16_t a = vld1q_u8(codes + c), b = vld1q_u8(codes + c + 16);
            total = vpadalq_u16(total, vpadalq_u8(vpaddlq_u8(a), b));
            pack_32(a, b, bits, packed);
        }
        if (c < channels && channels >= 16) {
            uint8x16x2_t rest = rest_of(codes, c, channels);
            uint8_t units[4 * CONV2D_BITSERIAL_MAX];
            int64_t bytes = (channels - c + UNIT - 1) / UNIT * bits;
            total = vpadalq_u16(total, vpadalq_u8(vpaddlq_u8(rest.val[0]), rest.val[1]));
            pack_32(rest.val[0], rest.val[1], bits, units);
            memcpy(packed, units, (size_t)bytes);
            c = channels;
            packed += bytes;
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
    X(2, 2, 4, 2)                                                                                                      \
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

#include "conv2d_bitserial_kernel.h"

CONV2D_BITSERIAL_DEFINE(conv2d_bitserial_aarch64_neon, SHRIKE_CPU_NEON, variant)
