/*
 * Bit-serial convolution in the compiler's vectors: bytes of a word are counted by adding neighbours.
 */
#include "conv2d_bitserial.h"
#include "conv2d_bitserial_planes.h"

typedef uint8_t vec __attribute__((vector_size(16)));
typedef uint16_t words __attribute__((vector_size(16)));

#define LANES 16

static inline vec vec_zero(void) {
    return (vec){0};
}

static inline vec vec_load(const uint8_t *bytes) {
    vec v;
    memcpy(&v, bytes, sizeof v);
    return v;
}

static inline vec vec_broadcast(const uint8_t *byte, int bits) {
    (void)bits;
    return *byte - (vec){0};
}

/* Shifts go by words because not every machine shifts bytes; the masks drop what comes from the neighbour. */
static inline vec vec_count_add(vec a, vec w, vec x, int sharing) {
    (void)sharing;
    vec v = w & x;
    v -= (vec)((words)v >> 1) & 0x55;
    v = (v & 0x33) + ((vec)((words)v >> 2) & 0x33);
    return a + ((v + (vec)((words)v >> 4)) & 0x0f);
}

static inline void vec_flush(uint16_t *middle, const vec *groups, int count, int first) {
    for (int lane = 0; lane < LANES; lane++) {
        uint32_t sum = 0;
        for (int g = 0; g < count; g++) {
            sum += (uint32_t)groups[g][lane] << g;
        }
        middle[lane] = (uint16_t)((first ? 0 : middle[lane]) + sum);
    }
}

static inline void vec_store(uint8_t *bytes, vec v) {
    memcpy(bytes, &v, sizeof v);
}

typedef struct vec_limits {
    int unused;
} vec_limits;

static inline vec_limits vec_limits_of(const conv2d_bitserial_thresholds *t, int rises) {
    (void)t;
    return (vec_limits){rises};
}

/* Out of line: the tiles are large already. */
static __attribute__((noinline)) vec codes_of(uint16_t *sums, int shift, int16_t base,
                                              const conv2d_bitserial_thresholds *t) {
    vec codes;
    for (int lane = 0; lane < LANES; lane++) {
        int16_t sum = (int16_t)((sums[lane] << shift) + base);
        int32_t code = t->start;
        for (int32_t i = 0; i < t->count; i++) {
            code += sum >= t->values[i * t->stride + lane] ? (i < t->falls ? -1 : 1) : 0;
        }
        codes[lane] = (uint8_t)code;
    }
    return codes;
}

static inline vec vec_codes(const vec *groups, int count, const uint16_t *middle, int shift, int16_t base,
                            const conv2d_bitserial_thresholds *t, const vec_limits *limits, int rises) {
    (void)limits;
    (void)rises;
    uint16_t sums[LANES];
    if (middle) {
        memcpy(sums, middle, sizeof sums);
    }
    vec_flush(sums, groups, count, !middle);
    return codes_of(sums, shift, base, t);
}

#define THRESHOLDS 1

static void pack(const uint8_t *codes, int64_t pixels, int64_t pixel_stride, int32_t channels, int32_t bits,
                 uint8_t *packed, int32_t *sums) {
    for (int64_t i = 0; i < pixels; i++, codes += pixel_stride) {
        int32_t sum = 0;
        for (int64_t c = 0; c < channels; c += UNIT, packed += bits) {
            sum += planes_pack_unit(codes + c, channels - c < UNIT ? channels - c : UNIT, bits, packed);
        }
        sums[i] = sum;
    }
}

#define PACK pack
#define TILES(X)                                                                                                       \
    X(1, 1, 2, 2)                                                                                                      \
    X(1, 1, 1, 4)                                                                                                      \
    X(1, 2, 1, 2)                                                                                                      \
    X(1, 3, 1, 2)                                                                                                      \
    X(1, 4, 1, 2)                                                                                                      \
    X(2, 1, 1, 4)                                                                                                      \
    X(2, 2, 1, 2)                                                                                                      \
    X(2, 3, 1, 2)                                                                                                      \
    X(2, 4, 1, 1)                                                                                                      \
    X(3, 1, 1, 2)                                                                                                      \
    X(3, 2, 1, 2)                                                                                                      \
    X(3, 3, 1, 1)                                                                                                      \
    X(3, 4, 1, 1)                                                                                                      \
    X(4, 1, 1, 2)                                                                                                      \
    X(4, 2, 1, 1)                                                                                                      \
    X(4, 3, 1, 1)                                                                                                      \
    X(4, 4, 1, 1)

#include "conv2d_bitserial_kernel.h"

CONV2D_BITSERIAL_DEFINE(conv2d_bitserial_portable, 0, variant)
