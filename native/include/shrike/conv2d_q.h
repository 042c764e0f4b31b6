/*
 * Convolution of codes.
 */
#ifndef SHRIKE_API_CONV2D_Q_H
#define SHRIKE_API_CONV2D_Q_H

#include "activation.h"
#include "codes.h"
#include "context.h"

enum shrike_qconv_output { SHRIKE_QOUT_CODES, SHRIKE_QOUT_REAL, SHRIKE_QOUT_COUNT };

enum shrike_qkernel {
    SHRIKE_QKERNEL_BEST, /* the first of the selection table that takes the sizes */
    SHRIKE_QKERNEL_INT8,
    SHRIKE_QKERNEL_BITSERIAL,
    SHRIKE_QKERNEL_REFERENCE,
    SHRIKE_QKERNEL_COUNT
};

/*
 * acc[oc] = sum over window and channels of (weight - weight_zero[oc]) * (code - src_zero), exact in int32; taps
 * outside the image hold src_zero.
 *   CODES: c = clamp(rint(acc * multiplier[oc] + offset[oc]), low, high); c = table[c] if there is a table. With an
 *          activation, and then no table, c = clamp(rint(activation(acc * multiplier[oc] + offset[oc]) *
 *          code_multiplier + code_offset), low, high). With a residual last c = clamp(rint((c * residual_a + residual *
 *          residual_b) + residual_c), residual_low, residual_high); or, if residual_first is 1, with any activation and
 *          no table, c = clamp(rint((activation(acc * multiplier[oc] + offset[oc]) * code_multiplier + residual *
 *          residual_b) + code_offset), low, high) at once.
 *   REAL:  y = activation(acc * multiplier[oc] + offset[oc]) + residual.
 * Here activations are the sequences of float32 operations of quantized/activation.h, the same bits on every tier:
 * SiLU, sigmoid and tanh are within 3e-7 of the true value, relative to the larger of 1 and that. The residual may be
 * dst itself (same pointer and strides).
 *
 * Where src_dynamic is 1 the output is REAL, src_zero 0 and src_bits 8, and each call takes src_zero from src_range
 * and src_range->scale * multiplier[oc], rounded to float32, for multiplier[oc].
 */
typedef struct shrike_conv2d_q_params {
    const uint8_t *src;
    void *dst; /* uint8_t or, for SHRIKE_QOUT_REAL, float */
    const void *weights; /* written by shrike_conv2d_q_pack for the same sizes and CPU features; 64-byte aligned */
    const float *multiplier; /* out_channels */
    const float *offset; /* out_channels */
    const uint8_t *table; /* 256 codes, or null */
    const void *thresholds; /* written by shrike_conv2d_q_thresholds for the same output, or null; 4-byte aligned */
    const void *residual; /* of dst's shape and type, or null */
    void *workspace; /* 64-byte aligned, at least shrike_conv2d_q_workspace bytes; null if that is 0 */
    const shrike_code_range *src_range; /* read only if src_dynamic is 1 */
    shrike_bounds src_bounds, dst_bounds, weights_bounds, multiplier_bounds, offset_bounds, table_bounds;
    shrike_bounds thresholds_bounds, residual_bounds, workspace_bounds, src_range_bounds;
    int64_t src_batch_stride, src_row_stride, src_pixel_stride;
    int64_t dst_batch_stride, dst_row_stride, dst_pixel_stride;
    int64_t residual_batch_stride, residual_row_stride, residual_pixel_stride;
    int32_t batch, height, width, channels;
    int32_t out_height, out_width, out_channels, groups;
    int32_t kernel_height, kernel_width, stride_height, stride_width;
    int32_t pad_top, pad_left, dilation_height, dilation_width;
    int32_t src_zero, src_bits; /* every source code and src_zero lie in 0..2^src_bits - 1 */
    int32_t weight_bits, weight_bipolar; /* bipolar: 1 bit, weights -1 and +1 */
    int32_t output; /* enum shrike_qconv_output */
    int32_t low, high; /* within 0..255 */
    float residual_a, residual_b, residual_c;
    int32_t residual_low, residual_high;
    int32_t activation; /* enum shrike_activation */
    float alpha, beta;
    float code_multiplier, code_offset; /* finite, the first above 0; read with an activation or residual_first only */
    int32_t residual_first; /* 1: there is a residual, which is added before rounding to codes */
    int32_t kernel; /* enum shrike_qkernel */
    int32_t src_dynamic; /* 1: codes of the source differ in scale and zero point from call to call */
} shrike_conv2d_q_params;

/*
 * Bytes of the packed weights, or -1 where no kernel of this context takes the sizes. This, pack, workspace and kernel
 * read no pointer and no stride of the params, but every size, zero point, width and the choice of kernel, which must
 * be those of the later call.
 */
SHRIKE_API int64_t shrike_conv2d_q_packed_size(const shrike_context *context, const shrike_conv2d_q_params *params);

/*
 * Packs weights [out_channels][channels / groups][kernel_height][kernel_width]: codes -1 and +1 if bipolar, else all in
 * -2^(weight_bits - 1)..2^(weight_bits - 1) - 1 or all in 0..2^weight_bits - 1. weight_zero: out_channels values of
 * -128..255 in the same terms, or null for zeros. packed is 64-byte aligned. Packed weights serve contexts of the same
 * CPU features only; others refuse them with SHRIKE_EINVAL. The buffers have so many bytes.
 */
SHRIKE_API int32_t shrike_conv2d_q_pack(const shrike_context *context, const shrike_conv2d_q_params *params,
                                        const int8_t *oihw, int64_t oihw_bytes, const int32_t *weight_zero,
                                        int64_t weight_zero_bytes, void *packed, int64_t packed_bytes);

/*
 * A quicker road to the same codes. Where few codes are distinguished, acc -> table[clamp(rint(acc * multiplier[oc] +
 * offset[oc]))] is for each channel a staircase of at most 8 steps of one, those down before those up; thresholds are
 * the sums at which it steps, found exactly. Returns SHRIKE_OK, or SHRIKE_EUNSUPPORTED where the map is no such
 * staircase. Reads out_channels, output, activation, multiplier, offset, low, high and table of the params; writes
 * shrike_conv2d_q_thresholds_size(out_channels) bytes, 4-byte aligned, of a buffer of `bytes`.
 */
SHRIKE_API int64_t shrike_conv2d_q_thresholds_size(int32_t out_channels);
SHRIKE_API int32_t shrike_conv2d_q_thresholds(const shrike_conv2d_q_params *params, void *thresholds, int64_t bytes);

/* Bytes of workspace that the call needs, 0 for none, or -1 where no kernel takes the sizes. */
SHRIKE_API int64_t shrike_conv2d_q_workspace(const shrike_context *context, const shrike_conv2d_q_params *params);

SHRIKE_API int32_t shrike_conv2d_q(shrike_context *context, const shrike_conv2d_q_params *params);

/* The name of the kernel that would run; null if none takes the sizes. */
SHRIKE_API const char *shrike_conv2d_q_kernel(const shrike_context *context, const shrike_conv2d_q_params *params);

#endif
