/*
 * Convolution of floats.
 */
#ifndef SHRIKE_API_CONV2D_F32_H
#define SHRIKE_API_CONV2D_F32_H

#include "activation.h"
#include "context.h"

/*
 * dst = activation(conv(src, weights) + bias) + residual. The output size is given, so bottom and right padding follow
 * from it; taps outside the image count as 0. residual may be dst itself (same pointer and strides).
 */
typedef struct shrike_conv2d_f32_params {
    const float *src;
    float *dst;
    const float *weights; /* written by shrike_conv2d_f32_pack for the same sizes; usable on every tier */
    const float *bias; /* out_channels floats, or null */
    const float *residual; /* of dst's shape, or null */
    shrike_bounds src_bounds, dst_bounds, weights_bounds, bias_bounds, residual_bounds;
    int64_t src_batch_stride, src_row_stride, src_pixel_stride;
    int64_t dst_batch_stride, dst_row_stride, dst_pixel_stride;
    int64_t residual_batch_stride, residual_row_stride, residual_pixel_stride;
    int32_t batch, height, width, channels;
    int32_t out_height, out_width, out_channels, groups;
    int32_t kernel_height, kernel_width, stride_height, stride_width;
    int32_t pad_top, pad_left, dilation_height, dilation_width;
    int32_t activation; /* enum shrike_activation */
    float alpha, beta;
    int32_t reserved;
} shrike_conv2d_f32_params;

/*
 * Floats that the packed weights take, or -1 if the sizes make no sense. Of the params only channels, out_channels,
 * groups, kernel_height and kernel_width are read here and in pack.
 */
SHRIKE_API int64_t shrike_conv2d_f32_packed_size(const shrike_conv2d_f32_params *params);

/*
 * Packs weights [out_channels][channels / groups][kernel_height][kernel_width] for every tier alike. The buffers have
 * so many bytes.
 */
SHRIKE_API int32_t shrike_conv2d_f32_pack(const shrike_conv2d_f32_params *params, const float *oihw, int64_t oihw_bytes,
                                          float *packed, int64_t packed_bytes);

SHRIKE_API int32_t shrike_conv2d_f32(shrike_context *context, const shrike_conv2d_f32_params *params);

/* The name of the kernel that would run, such as "conv2d_f32_igemm_14x32_x86_avx512"; null if the call is invalid. */
SHRIKE_API const char *shrike_conv2d_f32_kernel(const shrike_context *context, const shrike_conv2d_f32_params *params);

#endif
