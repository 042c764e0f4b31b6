/*
 * Epilogues with an activation, written once for all tiers: from sums to floats, through the function, to codes or
 * floats.
 *
 * Whoever includes it defines TIER and, for vectors `vf` of VL floats and their masks, as in core/vec_portable.h:
 * vf_load, vf_load_first, vf_store, vf_store_first, vf_set1, vf_max, vf_min, vf_select, vm_less; and
 *   vf_fused(a, b, c)              a * b + c, rounded once
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

/* activation_sigmoid of each float. */
ALWAYS vf sigmoid_of(vf x) {
    const vf log2_e = vf_set1(-ACTIVATION_LOG2_E), round = vf_set1(ACTIVATION_ROUND), one = vf_set1(1);
    vf t = vf_min(vf_max(x, vf_set1(-ACTIVATION_REACH)), vf_set1(ACTIVATION_REACH));
    vf shifted = vf_fused(t, log2_e, round);
    vf r = vf_fused(t, log2_e, round - shifted);
    vf p = vf_fused(vf_set1(ACTIVATION_EXP2_5), r, vf_set1(ACTIVATION_EXP2_4));
    p = vf_fused(p, r, vf_set1(ACTIVATION_EXP2_3));
    p = vf_fused(p, r, vf_set1(ACTIVATION_EXP2_2));
    p = vf_fused(p, r, vf_set1(ACTIVATION_EXP2_1));
    p = vf_fused(p, r, vf_set1(ACTIVATION_EXP2_0));
    vf d = one + vf_plus_bits(p, vf_exponent(shifted));
    vf y = vf_minus_bits(vf_set1(activation_float(ACTIVATION_RECIPROCAL)), d);
    vf e = vf_fused(-d, y, one);
    y = vf_fused(y, vf_fused(e, e, e), y);
    return vf_fused(y, vf_fused(-d, y, one), y);
}

ALWAYS vf unit_of(vf x) {
    return vf_min(vf_max(x, vf_set1(0)), vf_set1(1));
}

/* activation_of each float. */
ALWAYS vf activation_of_each(const int32_t kind, vf x, float alpha, float beta) {
    switch ((enum shrike_activation)kind) {
    case SHRIKE_ACTIVATION_SILU:
        return vf_max(x, vf_set1(-ACTIVATION_REACH)) * sigmoid_of(x);
    case SHRIKE_ACTIVATION_RELU:
        return vf_max(x, vf_set1(0));
    case SHRIKE_ACTIVATION_LEAKY_RELU:
        return vf_select(vm_less(x, vf_set1(0)), vf_set1(alpha) * x, x);
    case SHRIKE_ACTIVATION_SIGMOID:
        return sigmoid_of(x);
    case SHRIKE_ACTIVATION_HARD_SIGMOID:
        return unit_of(vf_set1(alpha) * x + vf_set1(beta));
    case SHRIKE_ACTIVATION_HARD_SWISH:
        return x * unit_of(x * vf_set1(1.0f / 6) + vf_set1(0.5f));
    case SHRIKE_ACTIVATION_TANH:
        return vf_fused(vf_set1(2), sigmoid_of(x + x), vf_set1(-1));
    case SHRIKE_ACTIVATION_CLIP: {
        vf below = vf_select(vm_less(vf_set1(beta), x), vf_set1(beta), x);
        return vf_select(vm_less(x, vf_set1(alpha)), vf_set1(alpha), below);
    }
    case SHRIKE_ACTIVATION_NONE:
    case SHRIKE_ACTIVATION_COUNT:
        break;
    }
    return x;
}

ALWAYS vf clamp_of(vf x, float low, float high) {
    return vf_min(vf_max(x, vf_set1(low)), vf_set1(high));
}

/* Sums of a pixel in codes, with fractions. */
ALWAYS vf position_of(const shrike_conv2d_q_params *p, const int32_t kind, vf sums, vf multiplier, vf offset) {
    return activation_of_each(kind, sums * multiplier + offset, p->alpha, p->beta) * vf_set1(p->code_multiplier);
}

/* The same less the fractions. */
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

/*
 * `width` vectors of columns (1, 2 or 4) of all pixels, always four vectors at a time, of so many pixels: each is a
 * long chain of operations, and the processor does not look far enough ahead to overlap them by itself. Where pixels
 * are too few the last one comes again; all is read before anything is written, which may be the residual.
 */
ALWAYS void columns_to_codes(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile, const int32_t kind,
                             int64_t column, const int width) {
    const int64_t channel = tile->first + column;
    for (int64_t i = 0; i < tile->pixels; i += 4 / width) {
        int64_t pixel[4];
        vf v[4];
#pragma GCC unroll 4
        for (int q = 0; q < 4; q++) {
            const int64_t at = q % width * VL;
            pixel[q] = i + q / width < tile->pixels ? i + q / width : tile->pixels - 1;
            v[q] = position_of(p, kind, vf_of_sums(tile->sums + pixel[q] * tile->sums_stride + column + at),
                               vf_load(p->multiplier + channel + at), vf_load(p->offset + channel + at));
        }
#pragma GCC unroll 4
        for (int q = 0; q < 4; q++) {
            const uint8_t *residual = (const uint8_t *)p->residual;
            vf other =
                residual ? vf_of_codes(residual + tile->residual[pixel[q]] + channel + q % width * VL) : vf_set1(0);
            v[q] = with_residual(p, v[q], residual ? &other : NULL);
        }
        uint8_t codes[4 * VL];
        vf_store_four_codes(codes, v);
#pragma GCC unroll 4
        for (int q = 0; q < 4; q += width) {
            memcpy((uint8_t *)p->dst + tile->dst[pixel[q]] + channel, codes + q * VL, (size_t)(width * VL));
        }
    }
}

/* The last columns, fewer than a vector. */
ALWAYS void last_to_codes(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile, const int32_t kind,
                          int64_t column) {
    const int64_t channel = tile->first + column, n = tile->count - column;
    const vf multiplier = vf_load_first(p->multiplier + channel, n), offset = vf_load_first(p->offset + channel, n);
    for (int64_t i = 0; i < tile->pixels; i++) {
        vf sums = vf_of_sums_first(tile->sums + i * tile->sums_stride + column, n);
        vf v = position_of(p, kind, sums, multiplier, offset);
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
    for (int64_t i = 0; i < tile->pixels; i++) {
        const int32_t *sums = tile->sums + i * tile->sums_stride;
        const float *multiplier = p->multiplier + tile->first, *offset = p->offset + tile->first;
        const float *residual = p->residual ? (const float *)p->residual + tile->residual[i] + tile->first : NULL;
        float *dst = (float *)p->dst + tile->dst[i] + tile->first;
        for (int64_t c = 0; c < tile->count; c += VL) {
            const int64_t n = tile->count - c;
            if (n >= VL) {
                vf v = vf_of_sums(sums + c) * vf_load(multiplier + c) + vf_load(offset + c);
                v = activation_of_each(kind, v, p->alpha, p->beta);
                v = residual ? (vf)(v + vf_load(residual + c)) : v;
                vf_store(dst + c, v);
            } else {
                vf v = vf_of_sums_first(sums + c, n) * vf_load_first(multiplier + c, n) + vf_load_first(offset + c, n);
                v = activation_of_each(kind, v, p->alpha, p->beta);
                v = residual ? (vf)(v + vf_load_first(residual + c, n)) : v;
                vf_store_first(dst + c, v, n);
            }
        }
    }
}

/* A copy of the code for each function, chosen once a tile. */
#define KIND(form, kind)                                                                                               \
    case SHRIKE_ACTIVATION_##kind:                                                                                     \
        form(p, tile, SHRIKE_ACTIVATION_##kind);                                                                       \
        break;
#define OF_KIND(form)                                                                                                  \
    switch ((enum shrike_activation)p->activation) {                                                                   \
        KIND(form, NONE)                                                                                               \
        KIND(form, SILU)                                                                                               \
        KIND(form, RELU)                                                                                               \
        KIND(form, LEAKY_RELU)                                                                                         \
        KIND(form, SIGMOID)                                                                                            \
        KIND(form, HARD_SIGMOID)                                                                                       \
        KIND(form, HARD_SWISH)                                                                                         \
        KIND(form, TANH)                                                                                               \
        KIND(form, CLIP)                                                                                               \
    case SHRIKE_ACTIVATION_COUNT:                                                                                      \
        break;                                                                                                         \
    }

void TIER(conv2d_q_activated)(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile) {
    OF_KIND(to_codes)
}

void TIER(conv2d_q_real)(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile) {
    OF_KIND(to_reals)
}

#endif
