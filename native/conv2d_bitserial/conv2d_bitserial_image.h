/*
 * The packed image of a bit-serial convolution: its sizes, and the packing of rows.
 */
#ifndef SHRIKE_CONV2D_BITSERIAL_IMAGE_H
#define SHRIKE_CONV2D_BITSERIAL_IMAGE_H

#include "conv2d_bitserial.h"

enum { CONV2D_BITSERIAL_ALIGNMENT = 64 };

/*
 * Sizes of the packed image and where the parts of the workspace begin.
 *
 * Where a pixel has so few channels that units would be filled up to waste, as the three of an image, the image is
 * packed by rows of taps: a column of it is an output column, and its channels are those of all taps of a kernel's row
 * one after the other. So to the rest the kernel is one column wide and its stride is 1.
 */
typedef struct conv2d_bitserial_sizes {
    int64_t by_rows; /* of taps */
    int64_t channels, kernel_width, stride_width;
    int64_t rows, columns, pixel_units, pixel_bytes, vectors;
    int64_t factor_at, thresholds_at, zeros_at, border_at, sums_at, image_at, bytes;
} conv2d_bitserial_sizes;

/* An image of a batch and what it is packed to; the argument of conv2d_bitserial_pack_rows. */
typedef struct conv2d_bitserial_image {
    const conv2d_bitserial_variant *variant;
    const shrike_conv2d_q_params *params;
    conv2d_bitserial_sizes size;
    const uint8_t *src, *border; /* border: one pixel of zero points, packed */
    uint8_t *pixels;
    int32_t *sums; /* of the codes of each pixel */
} conv2d_bitserial_image;

static inline int64_t conv2d_bitserial_divide_up(int64_t value, int64_t by) {
    return (value + by - 1) / by;
}

/* Pixels that the windows of so many outputs stretch over. */
static inline int64_t conv2d_bitserial_extent(int64_t outputs, int64_t stride, int64_t kernel, int64_t dilation) {
    return (outputs - 1) * stride + (kernel - 1) * dilation + 1;
}

conv2d_bitserial_sizes conv2d_bitserial_measure(const conv2d_bitserial_variant *variant,
                                                const shrike_conv2d_q_params *params);

/* Where the weight of a tap's channel, both as the packed image has them, is among those of an output channel. */
int64_t conv2d_bitserial_weight_at(const conv2d_bitserial_sizes *size, const shrike_conv2d_q_params *params,
                                   int64_t tap, int64_t channel);

/* Packs rows of the image; borders too. */
void conv2d_bitserial_pack_rows(const void *image, int64_t begin, int64_t end);

#endif
