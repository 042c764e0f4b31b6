/*
 * Shrike's C library: operations on strided views of float32 and of quantised codes, run by a small worker pool.
 *
 * Rules that hold for every operation:
 *  - int32_t shrike_<op>(context, params) returns SHRIKE_OK or an error status; with an error nothing was written.
 *  - The caller owns all memory; the library keeps no pointer after the call and allocates nothing during it.
 *  - Strides and sizes count elements (floats or one-byte codes). Pointers need only the alignment of their type.
 *  - Numbers are not trusted: whatever they are, a call gives a status and touches only what the bounds of its pointers
 *    allow. What packed weights and thresholds hold is trusted to be what the library wrote there.
 *  - Images are NHWC: element (n, y, x, c) lies at base + n * batch_stride + y * row_stride + x * pixel_stride + c. A
 *    pixel stride above the channel count describes a slice of a wider image.
 *  - A destination may be the same view as a source only where the operation says so; other overlap is undefined.
 *  - Results are the same bits for any number of threads. Floats may differ in the last bits between CPU tiers;
 *    operations on codes are the same bits on every tier.
 *  - Fields named reserved must be 0.
 */
#ifndef SHRIKE_H
#define SHRIKE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SHRIKE_API __attribute__((visibility("default")))

/* Grows with every change that an existing caller could notice. */
#define SHRIKE_ABI_VERSION 6u

enum shrike_status {
    SHRIKE_OK = 0,
    SHRIKE_EINVAL = 1, /* an argument is null, out of range or contradicts another */
    SHRIKE_EUNSUPPORTED = 2, /* sound arguments, but no kernel for them */
    SHRIKE_ENOMEM = 3, /* out of memory while creating a context */
    SHRIKE_ETHREAD = 4, /* the system refused a worker thread */
    SHRIKE_EBUSY = 5 /* the context is running an operation for another thread */
};

/* Bits of shrike_cpu_features(). */
#define SHRIKE_CPU_SSE4_2 (UINT64_C(1) << 0)
#define SHRIKE_CPU_POPCNT (UINT64_C(1) << 1)
#define SHRIKE_CPU_AVX (UINT64_C(1) << 2)
#define SHRIKE_CPU_AVX2 (UINT64_C(1) << 3)
#define SHRIKE_CPU_FMA (UINT64_C(1) << 4)
#define SHRIKE_CPU_AVX512F (UINT64_C(1) << 6)
#define SHRIKE_CPU_AVX512BW (UINT64_C(1) << 7)
#define SHRIKE_CPU_AVX512DQ (UINT64_C(1) << 8)
#define SHRIKE_CPU_AVX512VL (UINT64_C(1) << 9)
#define SHRIKE_CPU_AVX512VNNI (UINT64_C(1) << 10)
#define SHRIKE_CPU_AVX512VPOPCNTDQ (UINT64_C(1) << 11)
#define SHRIKE_CPU_AVX512VBMI (UINT64_C(1) << 12)
#define SHRIKE_CPU_AVXVNNI (UINT64_C(1) << 13)
#define SHRIKE_CPU_NEON (UINT64_C(1) << 32)
#define SHRIKE_CPU_DOTPROD (UINT64_C(1) << 33)
#define SHRIKE_CPU_FP16 (UINT64_C(1) << 34)
#define SHRIKE_CPU_I8MM (UINT64_C(1) << 35)
#define SHRIKE_CPU_SVE (UINT64_C(1) << 36)

/* The version this library was built with; differs from SHRIKE_ABI_VERSION when header and library do not match. */
SHRIKE_API uint32_t shrike_abi_version(void);

/* What the CPU and the operating system offer. */
SHRIKE_API uint64_t shrike_cpu_features(void);

/* The product version, for people. */
SHRIKE_API const char *shrike_version(void);

/* A short English text for a status; never null. */
SHRIKE_API const char *shrike_status_text(int32_t status);

/* ---- context: a worker pool and a CPU tier ---- */

typedef struct shrike_context shrike_context;

#define SHRIKE_MAX_THREADS 256

/*
 * Creates a context of `threads` threads, the calling one included (1..SHRIKE_MAX_THREADS). Kernels use only features
 * that the CPU has and that are in feature_mask: the mask can lower the tier, never raise it; UINT64_MAX for the best.
 * One context serves one thread at a time; a second one gets SHRIKE_EBUSY. On error *out is null.
 */
SHRIKE_API int32_t shrike_context_create(int32_t threads, uint64_t feature_mask, shrike_context **out);

/* Ends the workers and frees the context. Null is allowed. No operation may be running. */
SHRIKE_API void shrike_context_destroy(shrike_context *context);

SHRIKE_API int32_t shrike_context_threads(const shrike_context *context);
SHRIKE_API uint64_t shrike_context_features(const shrike_context *context);

/* ---- buffers ---- */

/*
 * Bytes of the caller's buffer in front of what a pointer points to, and from there on: an operation touches no others.
 * Every pointer of a params struct has its bounds beside it; those of a null pointer are not read. A view, its strides
 * and sizes, a table or packed weights that go beyond them are SHRIKE_EINVAL.
 */
typedef struct shrike_bounds {
    int64_t before, after;
} shrike_bounds;

/* Sizes of images, kernels, strides, pads and dilations are at most this. */
#define SHRIKE_MAX_SIZE (1 << 24)

/* ---- functions of one number; the order is that of dev.shrike.graph.Activation.Kind and Op.Unary.Kind ---- */

enum shrike_activation {
    SHRIKE_ACTIVATION_NONE,
    SHRIKE_ACTIVATION_SILU,
    SHRIKE_ACTIVATION_RELU,
    SHRIKE_ACTIVATION_LEAKY_RELU, /* alpha: slope below 0 */
    SHRIKE_ACTIVATION_SIGMOID,
    SHRIKE_ACTIVATION_HARD_SIGMOID, /* max(0, min(1, alpha x + beta)) */
    SHRIKE_ACTIVATION_HARD_SWISH, /* x max(0, min(1, x / 6 + 1 / 2)) */
    SHRIKE_ACTIVATION_TANH,
    SHRIKE_ACTIVATION_CLIP, /* max(alpha, min(beta, x)) */
    SHRIKE_ACTIVATION_COUNT
};

enum shrike_unary {
    SHRIKE_UNARY_SIGMOID,
    SHRIKE_UNARY_SILU,
    SHRIKE_UNARY_RELU,
    SHRIKE_UNARY_LEAKY_RELU,
    SHRIKE_UNARY_HARD_SIGMOID,
    SHRIKE_UNARY_HARD_SWISH,
    SHRIKE_UNARY_TANH,
    SHRIKE_UNARY_EXP,
    SHRIKE_UNARY_LOG,
    SHRIKE_UNARY_SQRT,
    SHRIKE_UNARY_NEG,
    SHRIKE_UNARY_ABS,
    SHRIKE_UNARY_FLOOR,
    SHRIKE_UNARY_CEIL,
    SHRIKE_UNARY_ROUND, /* half to even */
    SHRIKE_UNARY_RECIPROCAL,
    SHRIKE_UNARY_SIGN,
    SHRIKE_UNARY_NOT, /* 1 where x is 0, else 0 */
    SHRIKE_UNARY_ERF,
    SHRIKE_UNARY_SOFTPLUS, /* log(1 + e^x) */
    SHRIKE_UNARY_MISH, /* x * tanh(log(1 + e^x)) */
    SHRIKE_UNARY_ELU, /* x if it is above 0, else alpha * (e^x - 1) */
    SHRIKE_UNARY_SELU, /* beta * ELU */
    SHRIKE_UNARY_CELU, /* x if it is above 0, else alpha * (e^(x / alpha) - 1) */
    SHRIKE_UNARY_GELU, /* x / 2 * (1 + erf(x / sqrt(2))) */
    SHRIKE_UNARY_GELU_TANH, /* x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) */
    SHRIKE_UNARY_SOFTSIGN, /* x / (1 + |x|) */
    SHRIKE_UNARY_THRESHOLDED_RELU, /* x if it is above alpha, else 0 */
    SHRIKE_UNARY_SIN,
    SHRIKE_UNARY_COS,
    SHRIKE_UNARY_ATAN,
    SHRIKE_UNARY_CLIP,
    SHRIKE_UNARY_COUNT
};

enum shrike_binary {
    SHRIKE_BINARY_ADD,
    SHRIKE_BINARY_SUB,
    SHRIKE_BINARY_MUL,
    SHRIKE_BINARY_DIV,
    SHRIKE_BINARY_POW,
    SHRIKE_BINARY_MIN,
    SHRIKE_BINARY_MAX,
    SHRIKE_BINARY_MOD, /* C fmod: the sign of a */
    SHRIKE_BINARY_EQUAL,
    SHRIKE_BINARY_GREATER,
    SHRIKE_BINARY_GREATER_OR_EQUAL,
    SHRIKE_BINARY_LESS,
    SHRIKE_BINARY_LESS_OR_EQUAL,
    SHRIKE_BINARY_AND, /* comparisons, AND and OR take any non-zero as true and give 1 or 0 */
    SHRIKE_BINARY_OR,
    SHRIKE_BINARY_XOR,
    SHRIKE_BINARY_PRELU, /* a if it is not below 0, else a * b */
    SHRIKE_BINARY_COUNT
};

/* ---- convolution ---- */

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

/* ---- pooling ---- */

/*
 * Taps outside the image are ignored by the maximum; the average counts those within the pads if count_include_pad
 * is 1. A window wholly outside gives -FLT_MAX (maximum) or 0 (average). The maximum passes NaN over.
 */
typedef struct shrike_pool2d_f32_params {
    const float *src;
    float *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t src_batch_stride, src_row_stride, src_pixel_stride;
    int64_t dst_batch_stride, dst_row_stride, dst_pixel_stride;
    int32_t batch, height, width, channels;
    int32_t out_height, out_width;
    int32_t kernel_height, kernel_width, stride_height, stride_width;
    int32_t pad_top, pad_left, pad_bottom, pad_right;
    int32_t dilation_height, dilation_width;
    int32_t count_include_pad; /* average only */
    int32_t reserved;
} shrike_pool2d_f32_params;

SHRIKE_API int32_t shrike_maxpool2d_f32(shrike_context *context, const shrike_pool2d_f32_params *params);
SHRIKE_API int32_t shrike_avgpool2d_f32(shrike_context *context, const shrike_pool2d_f32_params *params);

/* ---- resize, as ONNX Resize on the two spatial axes; enums in the order of dev.shrike.graph.Op.Resize ---- */

enum shrike_resize_mode { SHRIKE_RESIZE_NEAREST, SHRIKE_RESIZE_LINEAR, SHRIKE_RESIZE_MODE_COUNT };

enum shrike_resize_coordinates {
    SHRIKE_COORDINATES_ASYMMETRIC,
    SHRIKE_COORDINATES_HALF_PIXEL,
    SHRIKE_COORDINATES_PYTORCH_HALF_PIXEL,
    SHRIKE_COORDINATES_ALIGN_CORNERS,
    SHRIKE_COORDINATES_COUNT
};

enum shrike_resize_nearest {
    SHRIKE_NEAREST_FLOOR,
    SHRIKE_NEAREST_CEIL,
    SHRIKE_NEAREST_ROUND_PREFER_FLOOR,
    SHRIKE_NEAREST_ROUND_PREFER_CEIL,
    SHRIKE_NEAREST_COUNT
};

typedef struct shrike_resize2d_f32_params {
    const float *src;
    float *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t src_batch_stride, src_row_stride, src_pixel_stride;
    int64_t dst_batch_stride, dst_row_stride, dst_pixel_stride;
    int32_t batch, height, width, channels;
    int32_t out_height, out_width;
    int32_t mode, coordinates, nearest;
    float scale_height, scale_width; /* output size / input size; 0: from the sizes */
    int32_t reserved;
} shrike_resize2d_f32_params;

SHRIKE_API int32_t shrike_resize2d_f32(shrike_context *context, const shrike_resize2d_f32_params *params);

/* ---- strided views of up to SHRIKE_MAX_RANK dimensions ---- */

#define SHRIKE_MAX_RANK 6

/*
 * In all of these dims[0..rank-1] is the shape, outermost first (every size >= 1; rank 0 is one element), and
 * strides[i] the distance of neighbours along dimension i. A source stride may be 0 (broadcast) or negative; the
 * elements of a destination must be distinct. dst may be the same view as a source in unary and binary.
 */
typedef struct shrike_unary_f32_params {
    const float *src;
    float *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t src_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    int32_t kind; /* enum shrike_unary */
    float alpha, beta; /* as in enum shrike_activation */
} shrike_unary_f32_params;

SHRIKE_API int32_t shrike_unary_f32(shrike_context *context, const shrike_unary_f32_params *params);

typedef struct shrike_binary_f32_params {
    const float *a;
    const float *b;
    float *dst;
    shrike_bounds a_bounds, b_bounds, dst_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t a_strides[SHRIKE_MAX_RANK];
    int64_t b_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    int32_t kind; /* enum shrike_binary */
} shrike_binary_f32_params;

SHRIKE_API int32_t shrike_binary_f32(shrike_context *context, const shrike_binary_f32_params *params);

/* Moves bits, so it serves any 4-byte type. */
typedef struct shrike_copy_f32_params {
    const float *src;
    float *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t src_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    int32_t reserved;
} shrike_copy_f32_params;

SHRIKE_API int32_t shrike_copy_f32(shrike_context *context, const shrike_copy_f32_params *params);

typedef struct shrike_fill_f32_params {
    float *dst;
    shrike_bounds dst_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    float value;
} shrike_fill_f32_params;

SHRIKE_API int32_t shrike_fill_f32(shrike_context *context, const shrike_fill_f32_params *params);

/* exp(x - max) / sum(exp(x - max)) along one axis; dst may be the same view as src. */
typedef struct shrike_softmax_f32_params {
    const float *src;
    float *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t src_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    int32_t axis; /* 0..rank-1 */
} shrike_softmax_f32_params;

SHRIKE_API int32_t shrike_softmax_f32(shrike_context *context, const shrike_softmax_f32_params *params);

enum shrike_reduce {
    SHRIKE_REDUCE_MEAN,
    SHRIKE_REDUCE_SUM,
    SHRIKE_REDUCE_MAX,
    SHRIKE_REDUCE_MIN,
    SHRIKE_REDUCE_PROD,
    SHRIKE_REDUCE_COUNT
};

/* dims is the shape of src; bit i of axis_mask set: dimension i is reduced, and dst_strides[i] is not read. */
typedef struct shrike_reduce_f32_params {
    const float *src;
    float *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t src_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    int32_t kind; /* enum shrike_reduce */
    uint32_t axis_mask;
    int32_t reserved;
} shrike_reduce_f32_params;

SHRIKE_API int32_t shrike_reduce_f32(shrike_context *context, const shrike_reduce_f32_params *params);

/* ---- matrix product ---- */

#define SHRIKE_MAX_BATCH_RANK 4

/*
 * dst[.., i, j] = alpha * sum over l of a[.., i, l] * b[.., l, j] + beta * bias[.., i, j], for m x k times k x n over
 * batch_rank leading dimensions (0: one product). Source strides may be 0 (broadcast).
 */
typedef struct shrike_matmul_f32_params {
    const float *a;
    const float *b;
    const float *bias; /* or null */
    float *dst;
    shrike_bounds a_bounds, b_bounds, bias_bounds, dst_bounds;
    int64_t batch_dims[SHRIKE_MAX_BATCH_RANK];
    int64_t a_batch_strides[SHRIKE_MAX_BATCH_RANK];
    int64_t b_batch_strides[SHRIKE_MAX_BATCH_RANK];
    int64_t bias_batch_strides[SHRIKE_MAX_BATCH_RANK];
    int64_t dst_batch_strides[SHRIKE_MAX_BATCH_RANK];
    int64_t m, n, k;
    int64_t a_row_stride, a_column_stride;
    int64_t b_row_stride, b_column_stride;
    int64_t bias_row_stride, bias_column_stride;
    int64_t dst_row_stride, dst_column_stride;
    float alpha, beta;
    int32_t batch_rank;
    int32_t reserved;
} shrike_matmul_f32_params;

SHRIKE_API int32_t shrike_matmul_f32(shrike_context *context, const shrike_matmul_f32_params *params);

/* ---- quantised tensors: unsigned codes of 1..8 bits, one a byte; real = scale * (code - zero) ---- */

/*
 * Rounding is half to even and every operation of a formula below rounds to float32 by itself: no fused multiply-add.
 * clamp(v, low, high) takes NaN as low.
 */

/* What codes of 8 bits mean: scale * (code - zero). */
typedef struct shrike_code_range {
    float scale; /* above 0, finite */
    int32_t zero; /* within 0..255 */
} shrike_code_range;

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
 * Here activations are the sequences of float32 operations of conv2d_q/activation.h, the same bits on every tier: SiLU,
 * sigmoid and tanh are within 3e-7 of the true value, relative to the larger of 1 and that.
 * The residual may be dst itself (same pointer and strides).
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

/* Taps outside the image are ignored; a window wholly outside gives 0. */
typedef struct shrike_pool2d_u8_params {
    const uint8_t *src;
    uint8_t *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t src_batch_stride, src_row_stride, src_pixel_stride;
    int64_t dst_batch_stride, dst_row_stride, dst_pixel_stride;
    int32_t batch, height, width, channels;
    int32_t out_height, out_width;
    int32_t kernel_height, kernel_width, stride_height, stride_width;
    int32_t pad_top, pad_left;
    int32_t dilation_height, dilation_width;
} shrike_pool2d_u8_params;

SHRIKE_API int32_t shrike_maxpool2d_u8(shrike_context *context, const shrike_pool2d_u8_params *params);

/* As shrike_resize2d_f32 with SHRIKE_RESIZE_NEAREST. */
typedef struct shrike_resize2d_u8_params {
    const uint8_t *src;
    uint8_t *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t src_batch_stride, src_row_stride, src_pixel_stride;
    int64_t dst_batch_stride, dst_row_stride, dst_pixel_stride;
    int32_t batch, height, width, channels;
    int32_t out_height, out_width;
    int32_t coordinates, nearest;
    float scale_height, scale_width; /* output size / input size; 0: from the sizes */
} shrike_resize2d_u8_params;

SHRIKE_API int32_t shrike_resize2d_u8(shrike_context *context, const shrike_resize2d_u8_params *params);

/* dst = table[src], or src without a table; dst may be the same view as src. Views as in the float operations. */
typedef struct shrike_lut_u8_params {
    const uint8_t *src;
    uint8_t *dst;
    const uint8_t *table; /* 256 codes, or null */
    shrike_bounds src_bounds, dst_bounds, table_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t src_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    int32_t reserved;
} shrike_lut_u8_params;

SHRIKE_API int32_t shrike_lut_u8(shrike_context *context, const shrike_lut_u8_params *params);

/* dst = clamp(rint((a * scale_a + b * scale_b) + offset), low, high); dst may be the same view as a source. */
typedef struct shrike_add_u8_params {
    const uint8_t *a;
    const uint8_t *b;
    uint8_t *dst;
    shrike_bounds a_bounds, b_bounds, dst_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t a_strides[SHRIKE_MAX_RANK];
    int64_t b_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    float scale_a, scale_b, offset;
    int32_t low, high; /* within 0..255 */
} shrike_add_u8_params;

SHRIKE_API int32_t shrike_add_u8(shrike_context *context, const shrike_add_u8_params *params);

/* dst = clamp(rint(src / scale) + zero, low, high). */
typedef struct shrike_quantize_f32_u8_params {
    const float *src;
    uint8_t *dst;
    shrike_bounds src_bounds, dst_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t src_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    float scale; /* above 0, finite */
    int32_t zero, low, high; /* within 0..255 */
    int32_t reserved;
} shrike_quantize_f32_u8_params;

SHRIKE_API int32_t shrike_quantize_f32_u8(shrike_context *context, const shrike_quantize_f32_u8_params *params);

/*
 * Codes over the range of what is given: min and max are the least and the largest of 0 and all finite elements,
 *   scale = (max - min) / 255, or max / 255 - min / 255 where that is infinite; at least FLT_MIN; 1 if max is min
 *   zero = clamp(rint(-min / scale), 0, 255)
 *   dst = clamp(rint(src / scale) + zero, 0, 255)
 * as ONNX's DynamicQuantizeLinear. Scale and zero point go to *range.
 */
typedef struct shrike_quantize_dynamic_f32_u8_params {
    const float *src;
    uint8_t *dst;
    shrike_code_range *range;
    shrike_bounds src_bounds, dst_bounds, range_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t src_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    int32_t reserved;
} shrike_quantize_dynamic_f32_u8_params;

SHRIKE_API int32_t shrike_quantize_dynamic_f32_u8(shrike_context *context,
                                                  const shrike_quantize_dynamic_f32_u8_params *params);

/* dst = scale * (src - zero), both from *range if there is one. */
typedef struct shrike_dequantize_u8_f32_params {
    const uint8_t *src;
    float *dst;
    const shrike_code_range *range; /* or null */
    shrike_bounds src_bounds, dst_bounds, range_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t src_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    float scale; /* above 0, finite; not read with a range */
    int32_t zero; /* within 0..255; not read with a range */
    int32_t reserved;
} shrike_dequantize_u8_f32_params;

SHRIKE_API int32_t shrike_dequantize_u8_f32(shrike_context *context, const shrike_dequantize_u8_f32_params *params);

#ifdef __cplusplus
}
#endif

#endif
