/*
 * Sizes of the packed image, and the packing of its rows: by pixels, or by rows of taps.
 */
#include "conv2d_bitserial_image.h"

#include <string.h>

enum { MAX_ROW_OF_TAPS = 64, GATHERED = 1024 /* codes at a time */ };

/* Whether rows of taps fill a quarter fewer units than pixels do. What weights are packed by has no other sizes. */
static int packs_by_rows(const conv2d_bitserial_variant *variant, const shrike_conv2d_q_params *p) {
    int64_t together = (int64_t)p->kernel_width * p->channels;
    return together <= MAX_ROW_OF_TAPS &&
           4 * conv2d_bitserial_divide_up(together, variant->unit) <=
               3 * p->kernel_width * conv2d_bitserial_divide_up(p->channels, variant->unit);
}

conv2d_bitserial_sizes conv2d_bitserial_measure(const conv2d_bitserial_variant *variant,
                                                const shrike_conv2d_q_params *p) {
    conv2d_bitserial_sizes s = {
        .by_rows = packs_by_rows(variant, p),
        .channels = p->channels,
        .kernel_width = p->kernel_width,
        .stride_width = p->stride_width,
        .rows = conv2d_bitserial_extent(p->out_height, p->stride_height, p->kernel_height, p->dilation_height),
        .columns = conv2d_bitserial_extent(p->out_width, p->stride_width, p->kernel_width, p->dilation_width),
        .vectors = conv2d_bitserial_divide_up(p->out_channels, variant->lanes)};
    if (s.by_rows) {
        s.channels *= s.kernel_width;
        s.kernel_width = s.stride_width = 1;
        s.columns = p->out_width;
    }
    s.pixel_units = conv2d_bitserial_divide_up(s.channels, variant->unit);
    s.pixel_bytes = s.pixel_units * variant->unit_bytes(p->src_bits);
    s.factor_at = conv2d_q_round_up(s.vectors * variant->lanes * (int64_t)sizeof(int32_t), CONV2D_BITSERIAL_ALIGNMENT);
    s.thresholds_at = 2 * s.factor_at;
    s.zeros_at = s.thresholds_at;
    if (variant->thresholds) {
        int64_t bytes = CONV2D_Q_MAX_THRESHOLDS * s.vectors * variant->lanes * (int64_t)sizeof(int16_t);
        s.zeros_at += conv2d_q_round_up(bytes, CONV2D_BITSERIAL_ALIGNMENT);
    }
    s.border_at = s.zeros_at + conv2d_q_round_up(s.channels, CONV2D_BITSERIAL_ALIGNMENT);
    s.sums_at = s.border_at + conv2d_q_round_up(s.pixel_bytes, CONV2D_BITSERIAL_ALIGNMENT);
    s.image_at =
        s.sums_at + conv2d_q_round_up(s.rows * s.columns * (int64_t)sizeof(int32_t), CONV2D_BITSERIAL_ALIGNMENT);
    s.bytes = s.image_at + s.rows * s.columns * s.pixel_bytes;
    return s;
}

int64_t conv2d_bitserial_weight_at(const conv2d_bitserial_sizes *s, const shrike_conv2d_q_params *p, int64_t tap,
                                   int64_t channel) {
    int64_t taps = (int64_t)p->kernel_height * p->kernel_width;
    return s->by_rows ? channel % p->channels * taps + tap * p->kernel_width + channel / p->channels
                      : channel * taps + tap;
}

static void fill_border(const conv2d_bitserial_image *k, int64_t row, int64_t begin, int64_t end, int32_t sum) {
    const conv2d_bitserial_sizes *s = &k->size;
    for (int64_t i = row * s->columns + begin; i < row * s->columns + end; i++) {
        memcpy(k->pixels + i * s->pixel_bytes, k->border, (size_t)s->pixel_bytes);
        k->sums[i] = sum;
    }
}

/* Copies `count` pixels of a row of the image from column x on, which may lie outside, where zero points are. */
static void copy_pixels(const shrike_conv2d_q_params *p, const uint8_t *row, int64_t x, int64_t count, uint8_t *to) {
    const int64_t channels = p->channels;
    int64_t from = x > 0 ? x : 0, until = x + count < p->width ? x + count : p->width;
    memset(to, p->src_zero, (size_t)(count * channels));
    if (until <= from) {
        return;
    }
    to += (from - x) * channels;
    if (p->src_pixel_stride == channels) {
        memcpy(to, row + from * channels, (size_t)((until - from) * channels));
        return;
    }
    for (int64_t i = from; i < until; i++, to += channels) {
        memcpy(to, row + i * p->src_pixel_stride, (size_t)channels);
    }
}

/* Packs one row of the image by rows of taps. */
static void pack_row_of_taps(const conv2d_bitserial_image *k, const uint8_t *row, uint8_t *packed, int32_t *sums) {
    const shrike_conv2d_q_params *p = k->params;
    const conv2d_bitserial_sizes *s = &k->size;
    uint8_t codes[GATHERED];
    for (int64_t x = 0; x < p->out_width;) {
        /* The taps of a row lie side by side among the pixels, unless the kernel is dilated. */
        const int together = p->dilation_width == 1;
        int64_t at = x * p->stride_width - p->pad_left;
        int64_t stride = together ? (int64_t)p->stride_width * p->channels : s->channels;
        int64_t count = (GATHERED - s->channels) / stride + 1;
        count = count < p->out_width - x ? count : p->out_width - x;
        if (together) {
            copy_pixels(p, row, at, (count - 1) * p->stride_width + p->kernel_width, codes);
        } else {
            for (int64_t i = 0; i < count * p->kernel_width; i++) {
                int64_t tap = i / p->kernel_width * p->stride_width + i % p->kernel_width * p->dilation_width;
                copy_pixels(p, row, at + tap, 1, codes + i * p->channels);
            }
        }
        k->variant->pack(codes, count, stride, (int32_t)s->channels, p->src_bits, packed, sums);
        packed += count * s->pixel_bytes;
        sums += count;
        x += count;
    }
}

void conv2d_bitserial_pack_rows(const void *argument, int64_t begin, int64_t end) {
    const conv2d_bitserial_image *k = argument;
    const shrike_conv2d_q_params *p = k->params;
    const conv2d_bitserial_sizes *s = &k->size;
    int32_t border_sum = p->src_zero * (int32_t)s->channels;
    int64_t left = p->pad_left < s->columns ? p->pad_left : s->columns;
    int64_t right = (int64_t)p->pad_left + p->width < s->columns ? (int64_t)p->pad_left + p->width : s->columns;
    for (int64_t row = begin; row < end; row++) {
        int64_t y = row - p->pad_top;
        if (y < 0 || y >= p->height) {
            fill_border(k, row, 0, s->columns, border_sum);
            continue;
        }
        if (s->by_rows) {
            int64_t at = row * s->columns;
            pack_row_of_taps(k, k->src + y * p->src_row_stride, k->pixels + at * s->pixel_bytes, k->sums + at);
            continue;
        }
        fill_border(k, row, 0, left, border_sum);
        if (left < right) {
            int64_t at = row * s->columns + left;
            k->variant->pack(k->src + y * p->src_row_stride, right - left, p->src_pixel_stride, p->channels,
                             p->src_bits, k->pixels + at * s->pixel_bytes, k->sums + at);
        }
        fill_border(k, row, right, s->columns, border_sum);
    }
}
