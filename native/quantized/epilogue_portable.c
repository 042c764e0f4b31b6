/*
 * Scalar epilogues, and the choice of a tier's form.
 */
#include "epilogue.h"

#include "conv2d_q_params.h"
#include "core/array.h"
#include "core/cpu.h"
#include "rounding.h"

void conv2d_q_codes_portable(const shrike_conv2d_q_params *p, const conv2d_q_tile *tile) {
    const float low = (float)p->low, high = (float)p->high;
    const float residual_low = (float)p->residual_low, residual_high = (float)p->residual_high;
    for (int64_t i = 0; i < tile->pixels; i++) {
        const int32_t *sums = tile->sums + i * tile->sums_stride;
        uint8_t *dst = (uint8_t *)p->dst + tile->dst[i] + tile->first;
        const uint8_t *residual = p->residual ? (const uint8_t *)p->residual + tile->residual[i] + tile->first : NULL;
        for (int64_t c = 0; c < tile->count; c++) {
            float scaled = (float)sums[c] * p->multiplier[tile->first + c];
            int32_t code = round_to_code(scaled + p->offset[tile->first + c], low, high);
            code = p->table ? p->table[code] : code;
            if (residual) {
                float a = (float)code * p->residual_a, b = (float)residual[c] * p->residual_b;
                code = round_to_code((a + b) + p->residual_c, residual_low, residual_high);
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
            dst[c] = (uint8_t)round_to_code((a + b) + p->residual_c, low, high);
        }
    }
}

/* Best first; the last one runs everywhere. */
static const struct {
    uint64_t features;
    conv2d_q_epilogue *codes, *activated, *real;
} tiers[] = {
#if defined(__x86_64__)
    {SHRIKE_TIER_AVX512VNNI, conv2d_q_codes_x86_avx512vnni, conv2d_q_activated_x86_avx512vnni,
     conv2d_q_real_x86_avx512vnni},
    {SHRIKE_TIER_AVX2, conv2d_q_codes_x86_avx2, conv2d_q_activated_x86_avx2, conv2d_q_real_x86_avx2},
#elif defined(__aarch64__)
    {SHRIKE_CPU_NEON, conv2d_q_codes_aarch64_neon, conv2d_q_activated_aarch64_neon, conv2d_q_real_aarch64_neon},
#endif
    {0, conv2d_q_codes_portable, conv2d_q_activated_portable, conv2d_q_real_portable},
};

conv2d_q_epilogue *conv2d_q_epilogue_of(const shrike_context *context, const shrike_conv2d_q_params *p) {
    int32_t i = 0; /* signed: the only tier may be the last one */
    while (i < (int32_t)ARRAY_SIZE(tiers) - 1 && !shrike_context_has(context, tiers[i].features)) {
        i++;
    }
    if (p->output == SHRIKE_QOUT_REAL) {
        return tiers[i].real;
    }
    return conv2d_q_is_activated(p) ? tiers[i].activated : tiers[i].codes;
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
