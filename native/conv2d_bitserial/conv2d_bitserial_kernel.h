/*
 * The bit-serial inner loop, written once over the byte vectors of a machine. The including file defines
 *   LANES                          bytes in a vector = output channels side by side
 *   vec, vec_zero()
 *   vec_load(bytes)                weights, aligned to LANES
 *   vec_count_add(a, w, x, sharing)
 *                                  a + popcount(w & x), byte by byte; sharing: products of a step that go to one sum
 *   vec_flush(middle, groups, count, first)
 *                                  middle[channel] += sum over g < count of groups[g] << g, 16 bits each; = if first
 *   X_PLANES(bits), X_BYTES(bits)  times that a step broadcasts, and the bytes each takes
 *   vec_codes(groups, count, middle, shift, base, t, limits, rises)
 *                                  a byte a channel: the code, by thresholds t, of the sum that vec_flush would give,
 *                                  shifted and with `base` added, in 16 bits; middle is null for none before; rises is
 *                                  t's count where that is known to the compiler and none falls, else 0; limits is
 *                                  vec_limits_of(t, rises). Only where THRESHOLDS is defined, as is vec_store(bytes, v)
 *   vec_broadcast(bytes, bits)     one plane of a unit of the image, in every lane
 *   BITS_LOAD(planes, at, x_bits)  may be defined: broadcasts all planes of a unit
 *   BITS_LOAD_PAIR(first, second, at)
 *                                  may be defined: loads two vectors of weights
 *   STEPS(w_bits, x_bits)          steps before a byte of a count could overflow
 *   LANE(channel)                  the lane of a channel of a vector; vec_flush puts it back in order
 *   UNIT, TILES                    see conv2d_bitserial.h; TILES(X) calls X(weight bits, activation bits, vectors,
 * pixels)
 *
 *     for each segment of the window, for each unit in it
 *         for each plane i of the weights, vector v:       w[i][v] = the weights' bits of LANES output channels
 *             for each plane j of the image, pixel p:      count[i + j][v][p] += popcount(w[i][v] & x[j][p])
 *
 * The loops over planes, vectors and pixels are unrolled. Counts live in registers as bytes; every STEPS steps they are
 * added to 16-bit sums in memory, and those to 32 bits when they could overflow: a step adds at most
 * UNIT (2^weight bits - 1) (2^activation bits - 1). At the end a last pass makes the sums of the codes that are meant.
 */
#include <string.h>

#include "conv2d_bitserial.h"
#include "core/array.h"

#define BITS_INLINE static inline __attribute__((always_inline))
#define BITS_UNROLL _Pragma("GCC unroll 16")

enum { BITS_MAX_GROUPS = 2 * CONV2D_BITSERIAL_MAX - 1, BITS_MAX_VECTORS = 4 };

/* Adds the counts to the 16-bit sums, or writes them as the first ones, and clears them. */
BITS_INLINE void bits_flush(vec acc[][BITS_MAX_VECTORS][BITS_MAX_GROUPS], uint16_t *middle, int first,
                            const int vectors, const int pixels, const int groups) {
    BITS_UNROLL for (int p = 0; p < pixels; p++) {
        BITS_UNROLL for (int v = 0; v < vectors; v++) {
            vec_flush(middle + (p * vectors + v) * LANES, acc[p][v], groups, first);
            BITS_UNROLL for (int g = 0; g < groups; g++) {
                acc[p][v][g] = vec_zero();
            }
        }
    }
}

/* Moves the 16-bit sums to where 32 bits hold them. */
static void bits_widen(uint16_t *restrict middle, int32_t *restrict sums, int64_t count) {
    for (int64_t c = 0; c < count; c++) {
        sums[c] += middle[c];
        middle[c] = 0;
    }
}

/* sums = (sums + middle << shift) + factor * window + constant, channel by channel; old sums only where there are. */
BITS_INLINE void bits_finish(const uint16_t *restrict middle, int32_t *restrict sums,
                             const conv2d_bitserial_panel *panel, const int32_t *window_sums, int widened,
                             const int vectors, const int pixels) {
    const int32_t *restrict factor = panel->factor, *restrict constant = panel->constant;
    const int32_t shift = panel->shift;
    for (int p = 0; p < pixels; p++, middle += vectors * LANES, sums += vectors * LANES) {
        int32_t window = window_sums[p];
        if (widened || (shift && !panel->uniform)) {
            for (int c = 0; c < vectors * LANES; c++) {
                sums[c] = (((widened ? sums[c] : 0) + middle[c]) << shift) + factor[c] * window + constant[c];
            }
        } else if (!panel->uniform) {
            for (int c = 0; c < vectors * LANES; c++) {
                sums[c] = middle[c] + factor[c] * window + constant[c];
            }
        } else if (shift) {
            for (int c = 0; c < vectors * LANES; c++) {
                sums[c] = 2 * middle[c] + (factor[0] * window + constant[c]);
            }
        } else {
            for (int c = 0; c < vectors * LANES; c++) {
                sums[c] = middle[c] + (factor[0] * window + constant[c]);
            }
        }
    }
}

#ifdef THRESHOLDS
/* Codes from the counts that registers hold and the 16-bit sums of earlier ones, which nothing has widened. */
BITS_INLINE void bits_codes(vec acc[][BITS_MAX_VECTORS][BITS_MAX_GROUPS], const uint16_t *middle, int first,
                            const conv2d_bitserial_panel *panel, const int32_t *window_sums, const int64_t *dst,
                            const int count, const int shift, const int groups, const int vectors, const int pixels) {
    conv2d_bitserial_thresholds t = panel->thresholds;
    BITS_UNROLL for (int v = 0; v < vectors; v++, t.values += LANES) {
        const vec_limits limits = vec_limits_of(&t, count);
        BITS_UNROLL for (int p = 0; p < pixels; p++) {
            const uint16_t *before = first ? NULL : middle + (p * vectors + v) * LANES;
            int16_t base = (int16_t)(panel->factor[0] * window_sums[p]);
            vec codes = vec_codes(acc[p][v], groups, before, shift, base, &t, &limits, count);
            if (panel->channels >= (v + 1) * LANES) {
                vec_store(panel->codes + dst[p] + v * LANES, codes);
            } else if (panel->channels > v * LANES) {
                uint8_t last[LANES];
                vec_store(last, codes);
                memcpy(panel->codes + dst[p] + v * LANES, last, (size_t)(panel->channels - v * LANES));
            }
        }
    }
}

/* Outputs of two bits, the usual ones, have a form of their own: three thresholds that all rise. */
BITS_INLINE void bits_write(vec acc[][BITS_MAX_VECTORS][BITS_MAX_GROUPS], const uint16_t *middle, int first,
                            const conv2d_bitserial_panel *panel, const int32_t *window_sums, const int64_t *dst,
                            const int w_bits, const int groups, const int vectors, const int pixels) {
    if (w_bits == 1 && panel->shift) {
        bits_codes(acc, middle, first, panel, window_sums, dst, 0, 1, groups, vectors, pixels);
    } else if (panel->thresholds.count != 3 || panel->thresholds.falls) {
        bits_codes(acc, middle, first, panel, window_sums, dst, 0, 0, groups, vectors, pixels);
    } else if (first) {
        bits_codes(acc, middle, 1, panel, window_sums, dst, 3, 0, groups, vectors, pixels);
    } else {
        bits_codes(acc, middle, 0, panel, window_sums, dst, 3, 0, groups, vectors, pixels);
    }
}
#endif

#ifndef BITS_LOAD
/* The planes of one unit of a pixel. */
#define BITS_LOAD(planes, at, x_bits)                                                                                  \
    do {                                                                                                               \
        BITS_UNROLL for (int load = 0; load < X_PLANES(x_bits); load++) {                                              \
            (planes)[load] = vec_broadcast((at) + load, x_bits);                                                       \
        }                                                                                                              \
    } while (0)
#endif

#ifndef BITS_LOAD_PAIR
/* Two vectors of weights, side by side. */
#define BITS_LOAD_PAIR(first, second, at)                                                                              \
    do {                                                                                                               \
        (first) = vec_load(at);                                                                                        \
        (second) = vec_load((at) + LANES);                                                                             \
    } while (0)
#endif

/* One unit of all pixels; what is more in number is not kept in registers: vectors of weights, or of the image. */
BITS_INLINE void bits_step(vec acc[][BITS_MAX_VECTORS][BITS_MAX_GROUPS], const uint8_t *const *at, int64_t along,
                           const uint8_t *weights, const int w_bits, const int x_bits, const int vectors,
                           const int pixels) {
    const int sharing = w_bits < X_PLANES(x_bits) ? w_bits : X_PLANES(x_bits);
    vec kept[CONV2D_BITSERIAL_MAX_PIXELS * CONV2D_BITSERIAL_MAX];
    if (vectors <= pixels) {
        BITS_UNROLL for (int i = 0; i < vectors * w_bits; i++) {
            kept[i] = vec_load(weights + i * LANES);
        }
    }
    BITS_UNROLL for (int p = 0; p < pixels; p++) {
        vec planes[CONV2D_BITSERIAL_MAX];
        BITS_LOAD(planes, at[p] + along, x_bits);
        BITS_UNROLL for (int j = 0; j < X_PLANES(x_bits); j++) {
            vec x = planes[j];
            BITS_UNROLL for (int v = vectors <= pixels ? 0 : vectors; v < vectors; v++) {
                BITS_UNROLL for (int i = 0; i < w_bits; i++) {
                    acc[p][v][i + j] = vec_count_add(acc[p][v][i + j], kept[v * w_bits + i], x, sharing);
                }
            }
            kept[vectors <= pixels ? 0 : p * X_PLANES(x_bits) + j] = vectors <= pixels ? kept[0] : x;
        }
    }
    vec w[2];
    BITS_UNROLL for (int i = vectors > pixels ? 0 : vectors * w_bits; i < vectors * w_bits; i++) {
        if (i % 2 == 0) {
            BITS_LOAD_PAIR(w[0], w[1], weights + i * LANES);
        }
        BITS_UNROLL for (int p = 0; p < pixels; p++) {
            BITS_UNROLL for (int j = 0; j < X_PLANES(x_bits); j++) {
                vec *to = &acc[p][i / w_bits][i % w_bits + j];
                *to = vec_count_add(*to, w[i % 2], kept[p * X_PLANES(x_bits) + j], sharing);
            }
        }
    }
}

BITS_INLINE void bits_tile(const uint8_t *const *windows, const int32_t *window_sums,
                           const conv2d_bitserial_panel *panel, int32_t *sums, const int64_t *dst, const int w_bits,
                           const int x_bits, const int vectors, const int pixels) {
    const int groups = w_bits + X_PLANES(x_bits) - 1;
    const int64_t limit = STEPS(w_bits, x_bits);
    const int64_t middle_limit = 65535 / (UNIT * ((1 << w_bits) - 1) * ((1 << x_bits) - 1)) / limit;
    vec acc[CONV2D_BITSERIAL_MAX_PIXELS][BITS_MAX_VECTORS][BITS_MAX_GROUPS];
    _Alignas(64) uint16_t middle[CONV2D_BITSERIAL_MAX_PIXELS * BITS_MAX_VECTORS * LANES];
    const uint8_t *weights = panel->weights;
    BITS_UNROLL for (int p = 0; p < pixels; p++) {
        BITS_UNROLL for (int v = 0; v < vectors; v++) {
            BITS_UNROLL for (int g = 0; g < groups; g++) {
                acc[p][v][g] = vec_zero();
            }
        }
    }
    int64_t budget = limit, middle_budget = middle_limit;
    int first = 1, widened = 0;
    for (int64_t s = 0; s < panel->segment_count; s++) {
        const uint8_t *at[CONV2D_BITSERIAL_MAX_PIXELS];
        BITS_UNROLL for (int p = 0; p < pixels; p++) {
            at[p] = windows[p] + panel->segments[s].offset;
        }
        for (int64_t left = panel->segments[s].units; left > 0;) {
            int64_t steps = left < budget ? left : budget;
            left -= steps;
            budget -= steps;
            int64_t along = 0;
            do {
                bits_step(acc, at, along, weights, w_bits, x_bits, vectors, pixels);
                along += X_PLANES(x_bits) * X_BYTES(x_bits);
                weights += vectors * w_bits * LANES;
            } while (--steps);
            BITS_UNROLL for (int p = 0; p < pixels; p++) {
                at[p] += along;
            }
            if (budget > 0) {
                continue;
            }
            if (first) {
                bits_flush(acc, middle, 1, vectors, pixels, groups);
            } else {
                bits_flush(acc, middle, 0, vectors, pixels, groups);
            }
            first = 0;
            budget = limit;
            if (--middle_budget == 0 && !panel->thresholds.count) { /* which are for sums of 16 bits only */
                if (!widened) {
                    memset(sums, 0, sizeof *sums * (size_t)(pixels * vectors * LANES));
                    widened = 1;
                }
                bits_widen(middle, sums, pixels * vectors * LANES);
                middle_budget = middle_limit;
            }
        }
    }
#ifdef THRESHOLDS
    if (panel->thresholds.count) {
        bits_write(acc, middle, first, panel, window_sums, dst, w_bits, groups, vectors, pixels);
        return;
    }
#endif
    (void)dst;
    if (first) {
        bits_flush(acc, middle, 1, vectors, pixels, groups);
    } else if (budget < limit) {
        bits_flush(acc, middle, 0, vectors, pixels, groups);
    }
    bits_finish(middle, sums, panel, window_sums, widened, vectors, pixels);
}

#define BITS_DEFINE_TILE(w_bits, x_bits, vectors, pixels)                                                              \
    static void tile_w##w_bits##a##x_bits##_##vectors##x##pixels(                                                      \
        const uint8_t *const *windows, const int32_t *window_sums, const conv2d_bitserial_panel *panel, int32_t *sums, \
        const int64_t *dst) {                                                                                          \
        bits_tile(windows, window_sums, panel, sums, dst, w_bits, x_bits, vectors, pixels);                            \
    }
#define BITS_LIST_TILE(w_bits, x_bits, vectors, pixels)                                                                \
    {w_bits, x_bits, vectors, pixels, tile_w##w_bits##a##x_bits##_##vectors##x##pixels},

TILES(BITS_DEFINE_TILE)

static const conv2d_bitserial_tile tiles[] = {TILES(BITS_LIST_TILE)};

static int32_t bits_unit_bytes(int32_t src_bits) {
    return X_PLANES(src_bits) * X_BYTES(src_bits);
}

static int32_t bits_lane(int32_t channel) {
    return LANE(channel);
}

#ifndef THRESHOLDS
#define THRESHOLDS 0
#endif

static const conv2d_bitserial_variant variant = {.lanes = LANES,
                                                 .unit = UNIT,
                                                 .thresholds = THRESHOLDS,
                                                 .tiles = tiles,
                                                 .tile_count = ARRAY_SIZE(tiles),
                                                 .unit_bytes = bits_unit_bytes,
                                                 .lane = bits_lane,
                                                 .pack = PACK};
