/*
 * Convolutions by ARM Compute Library behind a flat C interface: libshrike_acl.so. It needs libarm_compute.so.43
 * (Debian 13: package libarm-compute43) and so is a library of its own, which a program loads where it can.
 *
 * Life of a convolution:
 *  1. shrike_acl_conv2d_create chooses kernels, copies and packs the weights and the bias.
 *  2. shrike_acl_conv2d_run reads src and writes dst, any number of times.
 *  3. shrike_acl_conv2d_destroy frees it.
 * src and dst belong to the caller and must stay where they are from 1 to 3. Calls of different threads are run one
 * after another, since ARM Compute Library has one worker pool a process.
 *
 * Strides and sizes count elements (floats or one-byte codes); images are NHWC, as in shrike.h. They may be slices of
 * wider images (a pixel stride above the channel count), without further gaps between rows and images.
 */
#ifndef SHRIKE_ACL_H
#define SHRIKE_ACL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SHRIKE_ACL_API __attribute__((visibility("default")))

/* Grows with every change that an existing caller could notice. */
#define SHRIKE_ACL_ABI_VERSION 1u

enum shrike_acl_status {
    SHRIKE_ACL_OK = 0,
    SHRIKE_ACL_EINVAL = 1, /* an argument is null, out of range or contradicts another */
    SHRIKE_ACL_EUNSUPPORTED = 2, /* sound arguments, but ARM Compute Library has no kernel for them */
    SHRIKE_ACL_ENOMEM = 3, /* out of memory */
    SHRIKE_ACL_EFAILED = 4 /* ARM Compute Library failed */
};

enum shrike_acl_type {
    SHRIKE_ACL_F32,
    SHRIKE_ACL_U8, /* src and dst uint8_t codes, weights int8_t with a scale per output channel */
    SHRIKE_ACL_S8, /* src and dst int8_t codes, weights the same */
    SHRIKE_ACL_TYPE_COUNT
};

enum shrike_acl_method {
    SHRIKE_ACL_BEST, /* NEConvolutionLayer: Winograd, matrix product or direct, as it chooses */
    SHRIKE_ACL_GEMM, /* NEGEMMConvolutionLayer: matrix product */
    SHRIKE_ACL_METHOD_COUNT
};

/*
 * F32: dst = activation(conv(src, weights) + bias). activation, alpha and beta are those of enum shrike_activation in
 * shrike.h; those that ARM Compute Library lacks are refused.
 * U8, S8: real = scale * (code - zero); a weight's real value is weight_scale[oc] * weight, the bias is int32 in units
 * of src_scale * weight_scale[oc]; the result is rounded to dst's codes by ARM Compute Library's own fixed-point
 * arithmetic, at most one code from the exact result. The activation is NONE.
 * The output size is given, bottom and right padding follow from it; taps outside the image count as 0.
 */
typedef struct shrike_acl_conv2d_params {
    const void *src;
    void *dst;
    const void *weights; /* [out_channels][channels][kernel_height][kernel_width], float or int8_t; read by create */
    const void *bias; /* out_channels floats or int32_t, or null; read by create */
    const float *weight_scale; /* out_channels, above 0; U8 and S8 only; read by create */
    int64_t src_batch_stride, src_row_stride, src_pixel_stride;
    int64_t dst_batch_stride, dst_row_stride, dst_pixel_stride;
    int32_t batch, height, width, channels;
    int32_t out_height, out_width, out_channels, groups; /* groups is 1 */
    int32_t kernel_height, kernel_width, stride_height, stride_width;
    int32_t pad_top, pad_left, dilation_height, dilation_width;
    int32_t type; /* enum shrike_acl_type */
    int32_t method; /* enum shrike_acl_method */
    int32_t activation;
    float alpha, beta;
    float src_scale, dst_scale; /* U8 and S8 only: above 0 */
    int32_t src_zero, dst_zero; /* U8 and S8 only: within the codes */
    int32_t threads; /* 1..256, the calling one included */
} shrike_acl_conv2d_params;

typedef struct shrike_acl_conv2d shrike_acl_conv2d;

/* The version this library was built with. */
SHRIKE_ACL_API uint32_t shrike_acl_abi_version(void);

/* The version of the headers of ARM Compute Library, such as "24.11", for people. */
SHRIKE_ACL_API const char *shrike_acl_version(void);

/* Why the last call of this thread failed; never null. */
SHRIKE_ACL_API const char *shrike_acl_message(void);

/* On error *out is null and shrike_acl_message() says why. */
SHRIKE_ACL_API int32_t shrike_acl_conv2d_create(const shrike_acl_conv2d_params *params, shrike_acl_conv2d **out);

SHRIKE_ACL_API int32_t shrike_acl_conv2d_run(shrike_acl_conv2d *convolution);

/* How it is computed: "winograd", "gemm", "gemm_conv2d", "direct", ..; valid until destroy. */
SHRIKE_ACL_API const char *shrike_acl_conv2d_kernel(const shrike_acl_conv2d *convolution);

/* Null is allowed. */
SHRIKE_ACL_API void shrike_acl_conv2d_destroy(shrike_acl_conv2d *convolution);

#ifdef __cplusplus
}
#endif

#endif
