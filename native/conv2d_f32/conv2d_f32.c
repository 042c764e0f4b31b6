/*
 * Convolution: checks, packing, and the choice of a kernel.
 */
#include "conv2d_f32.h"

#include <stddef.h>
#include <string.h>

#include "core/array.h"
#include "core/check.h"
#include "core/cpu.h"

const float conv2d_f32_zeros[CONV2D_SEGMENT] = {0};

/* Best first. The last one takes everything. */
static const conv2d_f32_kernel kernels[] = {
#if defined(__x86_64__)
    {"conv2d_f32_depthwise_x86_avx512", SHRIKE_TIER_AVX512, conv2d_f32_supports_depthwise,
     conv2d_f32_depthwise_x86_avx512},
    {"conv2d_f32_igemm_14x32_x86_avx512", SHRIKE_TIER_AVX512, conv2d_f32_supports_igemm, conv2d_f32_igemm_x86_avx512},
    {"conv2d_f32_depthwise_x86_avx2", SHRIKE_TIER_AVX2, conv2d_f32_supports_depthwise, conv2d_f32_depthwise_x86_avx2},
    {"conv2d_f32_igemm_6x16_x86_avx2", SHRIKE_TIER_AVX2, conv2d_f32_supports_igemm, conv2d_f32_igemm_x86_avx2},
#endif
    {"conv2d_f32_depthwise_portable", 0, conv2d_f32_supports_depthwise, conv2d_f32_depthwise_portable},
    {"conv2d_f32_igemm_portable", 0, conv2d_f32_supports_igemm, conv2d_f32_igemm_portable},
    {"conv2d_f32_reference", 0, conv2d_f32_supports_any, conv2d_f32_reference},
};

int conv2d_f32_supports_any(const shrike_conv2d_f32_params *p) {
    (void)p;
    return 1;
}

int conv2d_f32_supports_depthwise(const shrike_conv2d_f32_params *p) {
    return conv2d_f32_is_depthwise(p);
}

int conv2d_f32_supports_igemm(const shrike_conv2d_f32_params *p) {
    int64_t chunks = (p->channels / p->groups + CONV2D_SEGMENT - 1) / CONV2D_SEGMENT;
    return !conv2d_f32_is_depthwise(p) && (int64_t)p->kernel_height * p->kernel_width <= CONV2D_MAX_SEGMENTS / chunks;
}

static int sound_weights(const shrike_conv2d_f32_params *p) {
    return shrike_check_size(p->channels) && shrike_check_size(p->out_channels) && p->groups >= 1 &&
           p->channels % p->groups == 0 && p->out_channels % p->groups == 0 && shrike_check_size(p->kernel_height) &&
           shrike_check_size(p->kernel_width);
}

int64_t shrike_conv2d_f32_packed_size(const shrike_conv2d_f32_params *p) {
    if (!p || !sound_weights(p)) {
        return -1;
    }
    int64_t size = (int64_t)p->kernel_height * p->kernel_width;
    int64_t group_in = p->channels / p->groups;
    int64_t padded = conv2d_f32_is_depthwise(p)
                         ? conv2d_f32_round_up(p->channels, CONV2D_PANEL)
                         : p->groups * conv2d_f32_round_up(p->out_channels / p->groups, CONV2D_PANEL);
    if (__builtin_mul_overflow(size, group_in, &size) || __builtin_mul_overflow(size, padded, &size) ||
        size > SHRIKE_MAX_REACH) {
        return -1;
    }
    return size;
}

int32_t shrike_conv2d_f32_pack(const shrike_conv2d_f32_params *p, const float *oihw, int64_t oihw_bytes, float *packed,
                               int64_t packed_bytes) {
    const int64_t size = shrike_conv2d_f32_packed_size(p), float_bytes = (int64_t)sizeof(float);
    if (size < 0) {
        return SHRIKE_EINVAL;
    }
    const int64_t taps = (int64_t)p->kernel_height * p->kernel_width; /* with all channels no more than `size` */
    if (!shrike_check_buffer(oihw, oihw_bytes, taps * (p->channels / p->groups) * p->out_channels * float_bytes,
                             sizeof(float)) ||
        !shrike_check_buffer(packed, packed_bytes, size * float_bytes, sizeof(float))) {
        return SHRIKE_EINVAL;
    }
    memset(packed, 0, (size_t)size * sizeof(float));
    for (int64_t oc = 0; oc < p->out_channels; oc++) {
        for (int64_t ic = 0; ic < p->channels / p->groups; ic++) {
            for (int64_t ky = 0; ky < p->kernel_height; ky++) {
                for (int64_t kx = 0; kx < p->kernel_width; kx++) {
                    packed[conv2d_f32_packed_index(p, oc, ic, ky, kx)] = *oihw++;
                }
            }
        }
    }
    return SHRIKE_OK;
}

static int validate(const shrike_conv2d_f32_params *p) {
    return sound_weights(p) && SHRIKE_CHECK_WINDOW(p) &&
           SHRIKE_CHECK_ELEMENTS(p, weights, shrike_conv2d_f32_packed_size(p)) &&
           (!p->bias || SHRIKE_CHECK_ELEMENTS(p, bias, p->out_channels)) &&
           SHRIKE_CHECK_IMAGE(p, src, p->height, p->width, p->channels) &&
           SHRIKE_CHECK_TARGET(p, dst, p->out_height, p->out_width, p->out_channels) &&
           (!p->residual || SHRIKE_CHECK_IMAGE(p, residual, p->out_height, p->out_width, p->out_channels)) &&
           p->activation >= 0 && p->activation < SHRIKE_ACTIVATION_COUNT && p->reserved == 0;
}

static const conv2d_f32_kernel *choose(const shrike_context *context, const shrike_conv2d_f32_params *p) {
    for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
        if (shrike_context_has(context, kernels[i].features) && kernels[i].supports(p)) {
            return &kernels[i];
        }
    }
    return NULL;
}

const char *shrike_conv2d_f32_kernel(const shrike_context *context, const shrike_conv2d_f32_params *p) {
    return context && p && validate(p) ? choose(context, p)->name : NULL;
}

int32_t shrike_conv2d_f32(shrike_context *context, const shrike_conv2d_f32_params *p) {
    if (!p || !validate(p)) {
        return SHRIKE_EINVAL;
    }
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    choose(context, p)->run(context, p);
    shrike_context_leave(context);
    return SHRIKE_OK;
}
