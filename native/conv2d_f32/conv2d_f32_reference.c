/*
 * The convolution spelt out, one thread, one scalar at a time: what the other kernels are compared with, and what runs
 * the sizes that they do not take. Never optimised.
 */
#include <math.h>

#include "conv2d_f32.h"

static float activate(int32_t kind, float x, float alpha, float beta) {
    switch (kind) {
    case SHRIKE_ACTIVATION_SILU:
        return x / (1 + expf(-x));
    case SHRIKE_ACTIVATION_RELU:
        return x < 0 ? 0 : x;
    case SHRIKE_ACTIVATION_LEAKY_RELU:
        return x < 0 ? alpha * x : x;
    case SHRIKE_ACTIVATION_SIGMOID:
        return 1 / (1 + expf(-x));
    case SHRIKE_ACTIVATION_HARD_SIGMOID:
        return fmaxf(0, fminf(1, alpha * x + beta));
    case SHRIKE_ACTIVATION_HARD_SWISH:
        return x * fmaxf(0, fminf(1, x / 6 + 0.5f));
    case SHRIKE_ACTIVATION_TANH:
        return tanhf(x);
    case SHRIKE_ACTIVATION_CLIP:
        return x < alpha ? alpha : x > beta ? beta : x;
    default:
        return x;
    }
}

static float convolve(const shrike_conv2d_f32_params *p, int64_t n, int64_t y, int64_t x, int64_t oc) {
    int64_t group_in = p->channels / p->groups;
    int64_t first = oc / (p->out_channels / p->groups) * group_in;
    float sum = p->bias ? p->bias[oc] : 0;
    for (int64_t ky = 0; ky < p->kernel_height; ky++) {
        int64_t in_y = y * p->stride_height - p->pad_top + ky * p->dilation_height;
        if (in_y < 0 || in_y >= p->height) {
            continue;
        }
        for (int64_t kx = 0; kx < p->kernel_width; kx++) {
            int64_t in_x = x * p->stride_width - p->pad_left + kx * p->dilation_width;
            if (in_x < 0 || in_x >= p->width) {
                continue;
            }
            const float *pixel =
                p->src + n * p->src_batch_stride + in_y * p->src_row_stride + in_x * p->src_pixel_stride + first;
            for (int64_t ic = 0; ic < group_in; ic++) {
                sum += pixel[ic] * p->weights[conv2d_f32_packed_index(p, oc, ic, ky, kx)];
            }
        }
    }
    return sum;
}

void conv2d_f32_reference(shrike_context *context, const shrike_conv2d_f32_params *p) {
    (void)context;
    for (int64_t n = 0; n < p->batch; n++) {
        for (int64_t y = 0; y < p->out_height; y++) {
            for (int64_t x = 0; x < p->out_width; x++) {
                float *dst = p->dst + n * p->dst_batch_stride + y * p->dst_row_stride + x * p->dst_pixel_stride;
                for (int64_t oc = 0; oc < p->out_channels; oc++) {
                    float value = activate(p->activation, convolve(p, n, y, x, oc), p->alpha, p->beta);
                    if (p->residual) {
                        value += p->residual[n * p->residual_batch_stride + y * p->residual_row_stride +
                                             x * p->residual_pixel_stride + oc];
                    }
                    dst[oc] = value;
                }
            }
        }
    }
}
