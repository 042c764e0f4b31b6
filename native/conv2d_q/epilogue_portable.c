/*
 * Scalar epilogues, and the choice of a tier's form.
 */
#include "epilogue.h"

#include <math.h>
#include <stddef.h>

#include "core/cpu.h"

void conv2d_q_codes_portable(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile) {
    const float low = (float)p->low, high = (float)p->high;
    const float residual_low = (float)p->residual_low, residual_high = (float)p->residual_high;
    for (int64_t i = 0; i < tile->pixels; i++) {
        const int32_t *sums = tile->sums + i * tile->sums_stride;
        uint8_t *dst = (uint8_t *)p->dst + tile->dst[i] + tile->first;
        const uint8_t *residual = p->residual ? (const uint8_t *)p->residual + tile->residual[i] + tile->first : NULL;
        for (int64_t c = 0; c < tile->count; c++) {
            float scaled = (float)sums[c] * p->multiplier[tile->first + c];
            int32_t code = conv2d_q_round(scaled + p->offset[tile->first + c], low, high);
            code = p->table ? p->table[code] : code;
            if (residual) {
                float a = (float)code * p->residual_a, b = (float)residual[c] * p->residual_b;
                code = conv2d_q_round((a + b) + p->residual_c, residual_low, residual_high);
            }
            dst[c] = (uint8_t)code;
        }
    }
}

void conv2d_q_add_portable(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile, conv2d_q_codes codes) {
    const float low = (float)p->residual_low, high = (float)p->residual_high;
    for (int64_t i = 0; i < tile->pixels; i++) {
        const uint8_t *from = codes.codes + i * codes.stride;
        const uint8_t *residual = (const uint8_t *)p->residual + tile->residual[i] + tile->first;
        uint8_t *dst = (uint8_t *)p->dst + tile->dst[i] + tile->first;
        for (int64_t c = 0; c < tile->count; c++) {
            float a = (float)from[c] * p->residual_a, b = (float)residual[c] * p->residual_b;
            dst[c] = (uint8_t)conv2d_q_round((a + b) + p->residual_c, low, high);
        }
    }
}

/* Through double, so that C libraries which differ in the last bit of exp still agree here. */
static float activate(int32_t kind, float x, float alpha, float beta) {
    switch ((enum shrike_activation)kind) {
    case SHRIKE_ACTIVATION_SILU:
        return (float)(x / (1 + exp(-(double)x)));
    case SHRIKE_ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case SHRIKE_ACTIVATION_LEAKY_RELU:
        return x < 0 ? alpha * x : x;
    case SHRIKE_ACTIVATION_SIGMOID:
        return (float)(1 / (1 + exp(-(double)x)));
    case SHRIKE_ACTIVATION_HARD_SIGMOID:
        x = alpha * x + beta;
        return x < 0 ? 0 : x > 1 ? 1 : x;
    case SHRIKE_ACTIVATION_HARD_SWISH: {
        float gate = x * (1.0f / 6) + 0.5f;
        return x * (gate < 0 ? 0 : gate > 1 ? 1 : gate);
    }
    case SHRIKE_ACTIVATION_TANH:
        return (float)tanh(x);
    case SHRIKE_ACTIVATION_CLIP:
        return x < alpha ? alpha : x > beta ? beta : x;
    case SHRIKE_ACTIVATION_NONE:
    case SHRIKE_ACTIVATION_COUNT:
        break;
    }
    return x;
}

void conv2d_q_real_portable(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile) {
    for (int64_t i = 0; i < tile->pixels; i++) {
        const int32_t *sums = tile->sums + i * tile->sums_stride;
        float *dst = (float *)p->dst + tile->dst[i] + tile->first;
        const float *residual = p->residual ? (const float *)p->residual + tile->residual[i] + tile->first : NULL;
        for (int64_t c = 0; c < tile->count; c++) {
            float scaled = (float)sums[c] * p->multiplier[tile->first + c];
            float value = activate(p->activation, scaled + p->offset[tile->first + c], p->alpha, p->beta);
            dst[c] = residual ? value + residual[c] : value;
        }
    }
}

/* Best first; vector forms of real outputs have no activation. */
static const struct {
    uint64_t features;
    conv2d_q_epilogue *codes, *real;
} tiers[] = {
#if defined(__x86_64__)
    {SHRIKE_TIER_AVX512VNNI, conv2d_q_codes_x86_avx512vnni, conv2d_q_real_x86_avx512vnni},
    {SHRIKE_TIER_AVX2, conv2d_q_codes_x86_avx2, conv2d_q_real_x86_avx2},
#elif defined(__aarch64__)
    {SHRIKE_CPU_NEON, conv2d_q_codes_aarch64_neon, conv2d_q_real_aarch64_neon},
#endif
    {0, conv2d_q_codes_portable, conv2d_q_real_portable},
};

conv2d_q_epilogue *conv2d_q_epilogue_of(const shrike_context *context, const shrike_conv2d_q_params *p) {
    size_t i = 0;
    while (!shrike_context_has(context, tiers[i].features)) {
        i++;
    }
    if (p->output == SHRIKE_QOUT_CODES) {
        return tiers[i].codes;
    }
    return p->activation == SHRIKE_ACTIVATION_NONE ? tiers[i].real : conv2d_q_real_portable;
}

conv2d_q_add *conv2d_q_add_of(const shrike_context *context) {
#if defined(__aarch64__)
    if (shrike_context_has(context, SHRIKE_CPU_NEON)) {
        return conv2d_q_add_aarch64_neon;
    }
#endif
    (void)context;
    return conv2d_q_add_portable;
}
