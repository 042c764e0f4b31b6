/*
 * The quantised convolution spelt out, one thread, one scalar at a time: what the other kernels are compared with, and
 * what runs the sizes that they do not take. Never optimised.
 *
 * Packed: the weights OIHW as they came, filled up to a multiple of 4, then one int32 zero point an output channel.
 */
#include <math.h>
#include <string.h>

#include "conv2d_q_kernels.h"
#include "quantized/activation.h"
#include "quantized/conv2d_q_params.h"

static int64_t weight_bytes(const shrike_conv2d_q_params *p) {
    return conv2d_q_round_up(conv2d_q_depth(p) * p->out_channels, 4);
}

static int takes_any(const shrike_conv2d_q_params *p) {
    (void)p;
    return 1;
}

static int64_t packed_size(const shrike_conv2d_q_params *p) {
    return weight_bytes(p) + 4 * (int64_t)p->out_channels;
}

static void pack(const shrike_conv2d_q_params *p, const int8_t *oihw, const int32_t *weight_zero, uint8_t *packed) {
    memcpy(packed, oihw, (size_t)(conv2d_q_depth(p) * p->out_channels));
    if (weight_zero) {
        memcpy(packed + weight_bytes(p), weight_zero, 4 * (size_t)p->out_channels);
    }
}

static int32_t convolve(const shrike_conv2d_q_params *p, const uint8_t *packed, int64_t n, int64_t y, int64_t x,
                        int64_t oc) {
    const int8_t *weights = (const int8_t *)packed + oc * conv2d_q_depth(p);
    int32_t weight_zero;
    memcpy(&weight_zero, packed + weight_bytes(p) + 4 * oc, sizeof weight_zero);
    int64_t group_in = conv2d_q_group_in(p);
    int64_t first = oc / conv2d_q_group_out(p) * group_in;
    int32_t sum = 0;
    for (int64_t ic = 0; ic < group_in; ic++) {
        for (int64_t ky = 0; ky < p->kernel_height; ky++) {
            for (int64_t kx = 0; kx < p->kernel_width; kx++) {
                int32_t weight = *weights++ - weight_zero;
                int64_t in_y = y * p->stride_height - p->pad_top + ky * p->dilation_height;
                int64_t in_x = x * p->stride_width - p->pad_left + kx * p->dilation_width;
                if (in_y >= 0 && in_y < p->height && in_x >= 0 && in_x < p->width) {
                    int32_t code = p->src[n * p->src_batch_stride + in_y * p->src_row_stride +
                                          in_x * p->src_pixel_stride + first + ic];
                    sum += weight * (code - p->src_zero);
                }
            }
        }
    }
    return sum;
}

/* NaN gives low, by the order of the comparisons. */
static float clamp(float value, float low, float high) {
    return value >= high ? high : value > low ? value : low;
}

static uint8_t to_code(const shrike_conv2d_q_params *p, int32_t sum, int64_t oc, const uint8_t *residual) {
    float scaled = (float)sum * p->multiplier[oc];
    float value = scaled + p->offset[oc];
    if (conv2d_q_is_activated(p)) {
        float position = activation_of(p->activation, value, p->alpha, p->beta) * p->code_multiplier;
        if (p->residual_first) {
            float added = (float)*residual * p->residual_b;
            position = position + added;
        }
        value = position + p->code_offset;
    }
    uint8_t code = (uint8_t)clamp(rintf(value), (float)p->low, (float)p->high);
    if (p->table) {
        code = p->table[code];
    }
    if (residual && !p->residual_first) {
        float a = (float)code * p->residual_a;
        float b = (float)*residual * p->residual_b;
        float both = a + b;
        code = (uint8_t)clamp(rintf(both + p->residual_c), (float)p->residual_low, (float)p->residual_high);
    }
    return code;
}

static float to_real(const shrike_conv2d_q_params *p, int32_t sum, int64_t oc) {
    float scaled = (float)sum * p->multiplier[oc];
    return activation_of(p->activation, scaled + p->offset[oc], p->alpha, p->beta);
}

static void conv2d_q_reference(shrike_context *context, const shrike_conv2d_q_params *p, const uint8_t *packed) {
    (void)context;
    for (int64_t n = 0; n < p->batch; n++) {
        for (int64_t y = 0; y < p->out_height; y++) {
            for (int64_t x = 0; x < p->out_width; x++) {
                int64_t dst = n * p->dst_batch_stride + y * p->dst_row_stride + x * p->dst_pixel_stride;
                int64_t residual =
                    n * p->residual_batch_stride + y * p->residual_row_stride + x * p->residual_pixel_stride;
                for (int64_t oc = 0; oc < p->out_channels; oc++) {
                    int32_t sum = convolve(p, packed, n, y, x, oc);
                    if (p->output == SHRIKE_QOUT_REAL) {
                        float value = to_real(p, sum, oc);
                        ((float *)p->dst)[dst + oc] =
                            p->residual ? value + ((const float *)p->residual)[residual + oc] : value;
                        continue;
                    }
                    const uint8_t *add = p->residual ? (const uint8_t *)p->residual + residual + oc : NULL;
                    ((uint8_t *)p->dst)[dst + oc] = to_code(p, sum, oc, add);
                }
            }
        }
    }
}

const conv2d_q_kernel conv2d_q_reference_kernel = {
    .name = "conv2d_q_reference",
    .kind = SHRIKE_QKERNEL_REFERENCE,
    .supports = takes_any,
    .packed_size = packed_size,
    .pack = pack,
    .run = conv2d_q_reference,
};
