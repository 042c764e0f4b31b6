/*
 * Bit-serial convolution: weights of 1..4 bits by activations of 1..4 bits, taken apart into planes of bits.
 *
 *     sum of w x = sum over planes i, j of 2^(i + j) popcount(w_i & x_j),    w and x unsigned
 *
 * A weight is base + step * w with w in 0..2^bits - 1: step 2 and base -1 for -1/+1 weights (so one popcount serves
 * them), step 1 and base 0 or -2^(bits - 1) for others. With zero points wz and xz
 *
 *     acc = step * sum(w x) + (base - wz) * sum(x) - xz * sum(weight - wz)
 *
 * where sum(x) is shared by all output channels and the last term is a constant of the channel. Taps outside the image
 * are exact because the packed image has a border of the zero point's code.
 *
 * A vector's lanes are output channels, one byte each; one unit of activations (8 channels, or what a variant says) is
 * broadcast to all lanes. So nothing is summed across lanes, and channel counts fill up only to a multiple of the unit.
 *
 * Packed image: [row][column][unit][bytes of a unit], the channels of a unit in the order of its bits. A row of taps is
 * then one run of bytes, and so a window is a few segments at the same offsets from each output pixel's first tap.
 * Packed weights: int32 factor[c] = base - wz and int32 total[c] = sum(weight - wz) for the channels filled up to whole
 * vectors, then panels of 1, 2 or 4 vectors: [panel][segment][unit][vector][plane][lane].
 */
#ifndef SHRIKE_CONV2D_BITSERIAL_H
#define SHRIKE_CONV2D_BITSERIAL_H

#include "quantized/conv2d_q_kernel.h"
#include "quantized/conv2d_q_params.h"
#include "quantized/thresholds.h"

enum {
    CONV2D_BITSERIAL_MAX = 4,
    CONV2D_BITSERIAL_MAX_PIXELS = 8,
    CONV2D_BITSERIAL_MAX_SUMS = 512,
    CONV2D_BITSERIAL_MAX_SEGMENTS = 256
};

/* Units that lie together in the packed image, at `offset` bytes from the window's first one. */
typedef struct conv2d_bitserial_segment {
    int64_t offset;
    int64_t units;
} conv2d_bitserial_segment;

/* Thresholds of conv2d_q_thresholds, less what a kernel adds to all sums of a channel, in 16 bits. */
typedef struct conv2d_bitserial_thresholds {
    const int16_t *values; /* [threshold][channel], `stride` channels */
    int64_t stride;
    int32_t count; /* 0: sums are wanted, not codes */
    int32_t falls;
    int32_t start;
} conv2d_bitserial_thresholds;

/* What the tiles of a panel of output channels share. */
typedef struct conv2d_bitserial_panel {
    const conv2d_bitserial_segment *segments;
    int64_t segment_count;
    const uint8_t *weights;
    const int32_t *factor, *constant; /* of each channel */
    int32_t shift; /* 1 for weights -1 and +1, else 0 */
    int32_t uniform; /* whether all channels have the same factor */
    int64_t channels; /* that exist, of the panel's */
    conv2d_bitserial_thresholds thresholds;
    uint8_t *codes; /* where those of the panel's first channel go, less the pixel's offset */
} conv2d_bitserial_panel;

/*
 * For a panel and as many windows as the tile has pixels writes sums[pixel][channel] = (sum(w x) << shift) +
 * factor[channel] * window_sums[pixel] + constant[channel], or where there are thresholds the codes of the channels
 * that exist to codes + dst[pixel].
 */
typedef void conv2d_bitserial_run(const uint8_t *const *windows, const int32_t *window_sums,
                                  const conv2d_bitserial_panel *panel, int32_t *sums, const int64_t *dst);

typedef struct conv2d_bitserial_tile {
    int32_t weight_bits, src_bits, vectors, pixels;
    conv2d_bitserial_run *run;
} conv2d_bitserial_tile;

/* What differs between machines. */
typedef struct conv2d_bitserial_variant {
    int32_t lanes;
    int32_t unit; /* channels that one step takes: 8, 6 or 4 */
    int32_t thresholds; /* whether tiles write codes */
    /* For each pair of widths that there is every number of vectors once, the larger first, at last 1. */
    const conv2d_bitserial_tile *tiles;
    int32_t tile_count;
    int32_t (*unit_bytes)(int32_t src_bits);
    int32_t (*lane)(int32_t channel); /* the lane of a channel of a vector */
    /* Packs pixels of `channels` codes; sums[pixel] = sum of its codes. */
    void (*pack)(const uint8_t *codes, int64_t pixels, int64_t pixel_stride, int32_t channels, int32_t bits,
                 uint8_t *packed, int32_t *sums);
} conv2d_bitserial_variant;

int conv2d_bitserial_supports(const conv2d_bitserial_variant *variant, const shrike_conv2d_q_params *params);
int64_t conv2d_bitserial_packed_size(const conv2d_bitserial_variant *variant, const shrike_conv2d_q_params *params);
void conv2d_bitserial_pack(const conv2d_bitserial_variant *variant, const shrike_conv2d_q_params *params,
                           const int8_t *oihw, const int32_t *weight_zero, uint8_t *packed);
int64_t conv2d_bitserial_workspace(const conv2d_bitserial_variant *variant, const shrike_conv2d_q_params *params);
void conv2d_bitserial(const conv2d_bitserial_variant *variant, shrike_context *context,
                      const shrike_conv2d_q_params *params, const uint8_t *packed);

/* The kernel `function`_kernel of a variant, which needs the features. */
#define CONV2D_BITSERIAL_DEFINE(function, needed, variant)                                                             \
    static int function##_supports(const shrike_conv2d_q_params *params) {                                             \
        return conv2d_bitserial_supports(&(variant), params);                                                          \
    }                                                                                                                  \
    static int64_t function##_packed_size(const shrike_conv2d_q_params *params) {                                      \
        return conv2d_bitserial_packed_size(&(variant), params);                                                       \
    }                                                                                                                  \
    static void function##_pack(const shrike_conv2d_q_params *params, const int8_t *oihw, const int32_t *weight_zero,  \
                                uint8_t *packed) {                                                                     \
        conv2d_bitserial_pack(&(variant), params, oihw, weight_zero, packed);                                          \
    }                                                                                                                  \
    static int64_t function##_workspace(const shrike_context *context, const shrike_conv2d_q_params *params) {         \
        (void)context;                                                                                                 \
        return conv2d_bitserial_workspace(&(variant), params);                                                         \
    }                                                                                                                  \
    static void function(shrike_context *context, const shrike_conv2d_q_params *params, const uint8_t *packed) {       \
        conv2d_bitserial(&(variant), context, params, packed);                                                         \
    }                                                                                                                  \
    const conv2d_q_kernel function##_kernel = {                                                                        \
        .name = #function,                                                                                             \
        .features = needed,                                                                                            \
        .kind = SHRIKE_QKERNEL_BITSERIAL,                                                                              \
        .supports = function##_supports,                                                                               \
        .packed_size = function##_packed_size,                                                                         \
        .pack = function##_pack,                                                                                       \
        .workspace = function##_workspace,                                                                             \
        .run = function,                                                                                               \
    };

extern const conv2d_q_kernel conv2d_bitserial_portable_kernel;
extern const conv2d_q_kernel conv2d_bitserial_aarch64_neon_kernel;
extern const conv2d_q_kernel conv2d_bitserial_lookup_x86_avx2_kernel;
extern const conv2d_q_kernel conv2d_bitserial_lookup_x86_avx512vnni_kernel; /* codes of one or two bits only */

#endif
