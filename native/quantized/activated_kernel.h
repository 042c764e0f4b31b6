/*
 * Epilogues with an activation, written once for all tiers: from sums to floats, through the function, to codes or
 * floats.
 *
 * Whoever includes it defines TIER and, for vectors `vf` of VL floats and their masks, as in core/vec_portable.h:
 * vf_load, vf_load_first, vf_store, vf_store_first, vf_set1, vf_max, vf_min, vf_select, vm_less; and
 *   vf_fused(a, b, c)              a * b + c, rounded once
 *   vf_fused_from(a, b, c)         c - a * b, rounded once
 *   vf_plus_bits, vf_minus_bits    sum and difference of the bits as integers
 *   vf_exponent(a)                 the bits moved up to the exponent, by 23
 *   vf_of_sums, vf_of_sums_first   int32 to floats; of the first n only
 *   vf_of_codes, vf_of_codes_first bytes to floats
 *   vf_store_four_codes(p, v)      floats of 0 to 255 to the bytes that they round to, half to even; four vectors
 *   vf_store_codes_first           the same of the first n of one
 */
#ifndef SHRIKE_ACTIVATED_KERNEL_H
#define SHRIKE_ACTIVATED_KERNEL_H

#include <stddef.h>

#include "activation.h"
#include "epilogue.h"

#define ALWAYS static inline __attribute__((always_inline))

/* A statement for each of n vectors. */
#define EACH _Pragma("GCC unroll 4") for (int q = 0; q < n; q++)

/*
 * activation_sigmoid of each float of n vectors (at most 4) in two parts, operation by operation for all of them: one
 * is a chain of twenty operations, each of which waits for the one before, and processors hold few operations that
 * wait.
 *
 * The first part: x becomes what SiLU multiplies, d what divides 1.
 */
ALWAYS void denominators_of_each(vf *x, vf *d, const int n) {
    const vf log2_e = vf_set1(-ACTIVATION_LOG2_E), round = vf_set1(ACTIVATION_ROUND), one = vf_set1(1);
    vf t[4], shifted[4], r[4], p[4];
    EACH x[q] = vf_max(x[q], vf_set1(-ACTIVATION_REACH));
    EACH t[q] = vf_min(x[q], vf_set1(ACTIVATION_REACH));
    EACH shifted[q] = vf_fused(t[q], log2_e, round);
    EACH r[q] = vf_fused(t[q], log2_e, round - shifted[q]);
    EACH p[q] = vf_fused(vf_set1(ACTIVATION_EXP2_5), r[q], vf_set1(ACTIVATION_EXP2_4));
    EACH p[q] = vf_fused(p[q], r[q], vf_set1(ACTIVATION_EXP2_3));
    EACH p[q] = vf_fused(p[q], r[q], vf_set1(ACTIVATION_EXP2_2));
    EACH p[q] = vf_fused(p[q], r[q], vf_set1(ACTIVATION_EXP2_1));
    EACH p[q] = vf_fused(p[q], r[q], vf_set1(ACTIVATION_EXP2_0));
    EACH d[q] = one + vf_plus_bits(p[q], vf_exponent(shifted[q]));
}

/* The second part: 1 / d. */
ALWAYS void reciprocals_of_each(const vf *d, vf *y, const int n) {
    const vf one = vf_set1(1);
    vf e[4];
    EACH y[q] = vf_minus_bits(vf_set1(activation_float(ACTIVATION_RECIPROCAL)), d[q]);
    EACH e[q] = vf_fused_from(d[q], y[q], one);
    EACH e[q] = vf_fused(e[q], e[q], e[q]);
    EACH y[q] = vf_fused(y[q], e[q], y[q]);
    EACH e[q] = vf_fused_from(d[q], y[q], one);
    EACH y[q] = vf_fused(y[q], e[q], y[q]);
}

/* Both parts; x changes as in the first. */
ALWAYS void sigmoid_of_each(vf *x, vf *y, const int n) {
    vf d[4];
    denominators_of_each(x, d, n);
    reciprocals_of_each(d, y, n);
}

ALWAYS vf unit_of(vf x) {
    return vf_min(vf_max(x, vf_set1(0)), vf_set1(1));
}

/* activation_of each float of n vectors, at most 4. */
ALWAYS void activate(const int32_t kind, vf *x, const int n, float alpha, float beta) {
    vf y[4];
    switch ((enum shrike_activation)kind) {
    case SHRIKE_ACTIVATION_SILU:
        sigmoid_of_each(x, y, n);
        EACH x[q] = x[q] * y[q];
        break;
    case SHRIKE_ACTIVATION_RELU:
        EACH x[q] = vf_max(x[q], vf_set1(0));
        break;
    case SHRIKE_ACTIVATION_LEAKY_RELU:
        EACH x[q] = vf_select(vm_less(x[q], vf_set1(0)), vf_set1(alpha) * x[q], x[q]);
        break;
    case SHRIKE_ACTIVATION_SIGMOID:
        sigmoid_of_each(x, x, n);
        break;
    case SHRIKE_ACTIVATION_HARD_SIGMOID:
        EACH x[q] = unit_of(vf_set1(alpha) * x[q] + vf_set1(beta));
        break;
    case SHRIKE_ACTIVATION_HARD_SWISH:
        EACH x[q] = x[q] * unit_of(x[q] * vf_set1(1.0f / 6) + vf_set1(0.5f));
        break;
    case SHRIKE_ACTIVATION_TANH:
        EACH y[q] = x[q] + x[q];
        sigmoid_of_each(y, y, n);
        EACH x[q] = vf_fused(vf_set1(2), y[q], vf_set1(-1));
        break;
    case SHRIKE_ACTIVATION_CLIP:
        EACH y[q] = vf_select(vm_less(vf_set1(beta), x[q]), vf_set1(beta), x[q]);
        EACH x[q] = vf_select(vm_less(x[q], vf_set1(alpha)), vf_set1(alpha), y[q]);
        break;
    case SHRIKE_ACTIVATION_NONE:
    case SHRIKE_ACTIVATION_COUNT:
        break;
    }
}

ALWAYS vf clamp_of(vf x, float low, float high) {
    return vf_min(vf_max(x, vf_set1(low)), vf_set1(high));
}

/* A code from its position, the same with fractions and without offset. */
ALWAYS vf code_of(const shrike_conv2d_q_params *p, vf position) {
    return clamp_of(position + vf_set1(p->code_offset), (float)p->low, (float)p->high);
}

ALWAYS vf add_of(const shrike_conv2d_q_params *p, vf position, vf residual) {
    vf code = (position + vf_set1(ACTIVATION_ROUND)) - vf_set1(ACTIVATION_ROUND);
    vf sum = code * vf_set1(p->residual_a) + residual * vf_set1(p->residual_b);
    return clamp_of(sum + vf_set1(p->residual_c), (float)p->residual_low, (float)p->residual_high);
}

/* A residual, or null, added before (see residual_first) or after the offset and the clamp. */
ALWAYS vf with_residual(const shrike_conv2d_q_params *p, vf position, const vf *residual) {
    if (!residual) {
        return code_of(p, position);
    }
    return p->residual_first ? code_of(p, position + *residual * vf_set1(p->residual_b))
                             : add_of(p, code_of(p, position), *residual);
}

/* Groups of four vectors, `width` of columns (1, 2 or 4) of so many pixels, that all pixels of a tile make. */
ALWAYS int64_t groups_of(const conv2d_q_tile *tile, const int width) {
    const int pixels = 4 / width;
    return (tile->pixels + pixels - 1) / pixels;
}

/* The pixel of each vector of a group. Where pixels are too few the last one comes again. */
ALWAYS void pixels_of(const conv2d_q_tile *tile, int64_t group, const int width, int64_t *pixel) {
    const int n = 4;
    EACH {
        const int64_t at = group * (4 / width) + q / width;
        pixel[q] = width == 4 || at < tile->pixels ? at : tile->pixels - 1;
    }
}

/* A group before the function. */
ALWAYS void four_of_sums(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile, const int64_t *pixel,
                         int64_t column, const int width, vf *v) {
    const int n = 4;
    const float *multiplier = p->multiplier + tile->first + column, *offset = p->offset + tile->first + column;
    EACH {
        const int64_t at = q % width * VL;
        v[q] = vf_of_sums(tile->sums + pixel[q] * tile->sums_stride + column + at) * vf_load(multiplier + at) +
               vf_load(offset + at);
    }
}

/* The same behind it. All is read before anything is written, which may be the residual. */
ALWAYS void four_to_codes(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile, const int64_t *pixel,
                          int64_t column, const int width, vf *v) {
    const int n = 4;
    const int64_t channel = tile->first + column;
    EACH v[q] = v[q] * vf_set1(p->code_multiplier);
    if (p->residual) {
        const uint8_t *residual = (const uint8_t *)p->residual + channel;
        vf other[4];
        EACH other[q] = vf_of_codes(residual + tile->residual[pixel[q]] + q % width * VL);
        EACH v[q] = with_residual(p, v[q], &other[q]);
    } else {
        EACH v[q] = with_residual(p, v[q], NULL);
    }
    uint8_t codes[4 * VL];
    vf_store_four_codes(codes, v);
#pragma GCC unroll 4
    for (int q = 0; q < n; q += width) {
        memcpy((uint8_t *)p->dst + tile->dst[pixel[q]] + channel, codes + q * VL, (size_t)(width * VL));
    }
}

/*
 * columns_to_codes of SiLU, in two passes over a few groups: the whole chain of one fills what a processor holds of
 * operations that wait, so that the next could not begin; half of it does not.
 */
ALWAYS void silu_to_codes(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile, int64_t column, const int width) {
    enum { PASS = 6 };
    const int n = 4;
    const int64_t groups = groups_of(tile, width);
    for (int64_t first = 0; first < groups; first += PASS) {
        const int64_t some = groups - first < PASS ? groups - first : PASS;
        vf x[4 * PASS], d[4 * PASS];
        for (int64_t g = 0; g < some; g++) {
            int64_t pixel[4];
            vf v[4], w[4];
            pixels_of(tile, first + g, width, pixel);
            four_of_sums(p, tile, pixel, column, width, v);
            denominators_of_each(v, w, n);
            EACH x[4 * g + q] = v[q];
            EACH d[4 * g + q] = w[q];
        }
        for (int64_t g = 0; g < some; g++) {
            int64_t pixel[4];
            vf v[4];
            pixels_of(tile, first + g, width, pixel);
            reciprocals_of_each(d + 4 * g, v, n);
            EACH v[q] = x[4 * g + q] * v[q];
            four_to_codes(p, tile, pixel, column, width, v);
        }
    }
}

/*
 * `width` vectors of columns of all pixels, always four vectors at a time: each is a long chain of operations, and the
 * processor does not look far enough ahead to overlap them by itself.
 */
ALWAYS void columns_to_codes(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile, const int32_t kind,
                             int64_t column, const int width) {
    if (kind == SHRIKE_ACTIVATION_SILU) {
        silu_to_codes(p, tile, column, width);
        return;
    }
    for (int64_t group = 0; group < groups_of(tile, width); group++) {
        int64_t pixel[4];
        vf v[4];
        pixels_of(tile, group, width, pixel);
        four_of_sums(p, tile, pixel, column, width, v);
        activate(kind, v, 4, p->alpha, p->beta);
        four_to_codes(p, tile, pixel, column, width, v);
    }
}

/* The last columns, fewer than a vector. */
ALWAYS void last_to_codes(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile, const int32_t kind,
                          int64_t column) {
    const int64_t channel = tile->first + column, n = tile->count - column;
    const vf multiplier = vf_load_first(p->multiplier + channel, n), offset = vf_load_first(p->offset + channel, n);
    for (int64_t i = 0; i < tile->pixels; i++) {
        vf v = vf_of_sums_first(tile->sums + i * tile->sums_stride + column, n) * multiplier + offset;
        activate(kind, &v, 1, p->alpha, p->beta);
        v = v * vf_set1(p->code_multiplier);
        const uint8_t *residual = p->residual ? (const uint8_t *)p->residual + tile->residual[i] + channel : NULL;
        vf other = residual ? vf_of_codes_first(residual, n) : vf_set1(0);
        v = with_residual(p, v, residual ? &other : NULL);
        vf_store_codes_first((uint8_t *)p->dst + tile->dst[i] + channel, v, n);
    }
}

/* The copy keeps constants in registers: for all the compiler knows, a store of bytes may change what params shows. */
ALWAYS void to_codes(const shrike_conv2d_q_params *params, const conv2d_q_tile *tile, const int32_t kind) {
    const shrike_conv2d_q_params copy = *params, *p = &copy;
    int64_t column = 0;
    for (; column + 4 * VL <= tile->count; column += 4 * VL) {
        columns_to_codes(p, tile, kind, column, 4);
    }
    for (; column + 2 * VL <= tile->count; column += 2 * VL) {
        columns_to_codes(p, tile, kind, column, 2);
    }
    for (; column + VL <= tile->count; column += VL) {
        columns_to_codes(p, tile, kind, column, 1);
    }
    if (column < tile->count) {
        last_to_codes(p, tile, kind, column);
    }
}

ALWAYS void to_reals(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile, const int32_t kind) {
    /* Floats of a whole output may not be in a cache: the next tile's are asked for, which lie behind this one's. */
    const int64_t ahead = tile->pixels > 1 ? tile->pixels * (tile->dst[1] - tile->dst[0]) : 0;
    for (int64_t i = 0; i < tile->pixels; i++) {
        const int32_t *sums = tile->sums + i * tile->sums_stride;
        const float *multiplier = p->multiplier + tile->first, *offset = p->offset + tile->first;
        const float *residual = p->residual ? (const float *)p->residual + tile->residual[i] + tile->first : NULL;
        float *dst = (float *)p->dst + tile->dst[i] + tile->first;
        int64_t c = 0;
        for (int64_t line = 0; line < tile->count; line += 16) {
            __builtin_prefetch((const void *)((uintptr_t)dst + (uintptr_t)(ahead + line) * sizeof *dst), 1);
        }
        for (; c + 4 * VL <= tile->count; c += 4 * VL) {
            vf v[4];
#pragma GCC unroll 4
            for (int q = 0; q < 4; q++) {
                const int64_t at = c + q * VL;
                v[q] = vf_of_sums(sums + at) * vf_load(multiplier + at) + vf_load(offset + at);
            }
            activate(kind, v, 4, p->alpha, p->beta);
#pragma GCC unroll 4
            for (int q = 0; q < 4; q++) {
                const int64_t at = c + q * VL;
                vf_store(dst + at, residual ? (vf)(v[q] + vf_load(residual + at)) : v[q]);
            }
        }
        for (; c < tile->count; c += VL) {
            const int64_t n = tile->count - c < VL ? tile->count - c : VL;
            vf v = vf_of_sums_first(sums + c, n) * vf_load_first(multiplier + c, n) + vf_load_first(offset + c, n);
            activate(kind, &v, 1, p->alpha, p->beta);
            vf_store_first(dst + c, residual ? (vf)(v + vf_load_first(residual + c, n)) : v, n);
        }
    }
}

/*
 * A copy of the code for each function, chosen once a tile; as functions of their own, since all copies in one get
 * their registers together, and worse.
 */
#define KINDS(form)                                                                                                    \
    KIND(form, NONE)                                                                                                   \
    KIND(form, SILU)                                                                                                   \
    KIND(form, RELU)                                                                                                   \
    KIND(form, LEAKY_RELU)                                                                                             \
    KIND(form, SIGMOID)                                                                                                \
    KIND(form, HARD_SIGMOID)                                                                                           \
    KIND(form, HARD_SWISH)                                                                                             \
    KIND(form, TANH)                                                                                                   \
    KIND(form, CLIP)
#define KIND(form, kind)                                                                                               \
    static __attribute__((noinline)) void form##_##kind(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile) {  \
        form(p, tile, SHRIKE_ACTIVATION_##kind);                                                                       \
    }
KINDS(to_codes)
KINDS(to_reals)
#undef KIND
#define KIND(form, kind)                                                                                               \
    case SHRIKE_ACTIVATION_##kind:                                                                                     \
        form##_##kind(p, tile);                                                                                        \
        break;

void TIER(conv2d_q_activated)(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile) {
    switch ((enum shrike_activation)p->activation) {
        KINDS(to_codes)
    case SHRIKE_ACTIVATION_COUNT:
        break;
    }
}

void TIER(conv2d_q_real)(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile) {
    switch ((enum shrike_activation)p->activation) {
        KINDS(to_reals)
    case SHRIKE_ACTIVATION_COUNT:
        break;
    }
}

#endif
