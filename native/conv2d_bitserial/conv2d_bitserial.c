/*
 * Bit-serial convolution: what all machines share. Sizes, the packing of weights, and the loop over tiles:
 *
 *     for each image of the batch
 *         pack its rows into the workspace (parallel)
 *         for each block of output pixels (parallel)
 *             sum(x) of each window
 *             for each panel of output channels, for each tile of pixels: count, correct, epilogue
 *
 * A panel of weights stays in the first cache level while the tiles of a block pass it.
 */
#include "conv2d_bitserial_image.h"

#include <string.h>

#include "core/check.h"
#include "quantized/epilogue.h"

enum { MAX_BLOCK = 120 /* a multiple of 1..6 and 8 pixels */ };

/* The most bytes of a packed image: more is no image that the other operations could hold either. */
#define MAX_IMAGE (INT64_C(1) << 36)

typedef struct work {
    conv2d_bitserial_image image;
    const int32_t *factor, *constant;
    const uint8_t *weights;
    conv2d_q_epilogue *epilogue;
    conv2d_q_add *add;
    int64_t batch, block, segment_count;
    int32_t uniform; /* all channels have the same factor: no zero points of weights, or equal ones */
    conv2d_bitserial_thresholds thresholds;
    conv2d_bitserial_segment segments[CONV2D_BITSERIAL_MAX_SEGMENTS];
} work;

/* The tile for a panel that has `left` vectors to go, 1 or more; null for widths that the variant does not take. */
static const conv2d_bitserial_tile *tile_of(const conv2d_bitserial_variant *variant, const shrike_conv2d_q_params *p,
                                            int64_t left) {
    for (int32_t i = 0; i < variant->tile_count; i++) {
        const conv2d_bitserial_tile *tile = &variant->tiles[i];
        if (tile->weight_bits == p->weight_bits && tile->src_bits == p->src_bits && tile->vectors <= left) {
            return tile;
        }
    }
    return NULL;
}

int conv2d_bitserial_supports(const conv2d_bitserial_variant *variant, const shrike_conv2d_q_params *p) {
    int64_t taps = (int64_t)p->kernel_height * p->kernel_width;
    if (p->groups != 1 || !tile_of(variant, p, 1) || taps > CONV2D_BITSERIAL_MAX_SEGMENTS ||
        p->channels > (1 << 24) / taps) {
        return 0;
    }
    int64_t rows = conv2d_bitserial_extent(p->out_height, p->stride_height, p->kernel_height, p->dilation_height);
    int64_t columns = conv2d_bitserial_extent(p->out_width, p->stride_width, p->kernel_width, p->dilation_width);
    int64_t bytes;
    return !__builtin_mul_overflow(rows, columns, &bytes) && bytes <= MAX_IMAGE / (4 + (int64_t)p->channels * 2);
}

int64_t conv2d_bitserial_workspace(const conv2d_bitserial_variant *variant, const shrike_conv2d_q_params *p) {
    return conv2d_bitserial_measure(variant, p).bytes;
}

static int64_t head_bytes(const conv2d_bitserial_variant *variant, const conv2d_bitserial_sizes *s) {
    return conv2d_q_round_up(2 * s->vectors * variant->lanes * (int64_t)sizeof(int32_t), CONV2D_BITSERIAL_ALIGNMENT);
}

int64_t conv2d_bitserial_packed_size(const conv2d_bitserial_variant *variant, const shrike_conv2d_q_params *p) {
    conv2d_bitserial_sizes s = conv2d_bitserial_measure(variant, p);
    int64_t taps = p->kernel_height * s.kernel_width, size;
    if (__builtin_mul_overflow(taps * s.pixel_units * p->weight_bits, s.vectors * variant->lanes, &size) ||
        size > SHRIKE_MAX_REACH) {
        return -1;
    }
    return head_bytes(variant, &s) + size;
}

/* Writes one panel: [tap][unit][vector][plane][lane], the bit of channel c of a unit being bit c. */
static uint8_t *pack_panel(const conv2d_bitserial_variant *variant, const shrike_conv2d_q_params *p,
                           const conv2d_bitserial_sizes *s, const int8_t *oihw, int64_t first, int64_t vectors,
                           int32_t base, uint8_t *to) {
    int64_t lanes = variant->lanes, unit = variant->unit, depth = conv2d_q_depth(p);
    int32_t halve = p->weight_bipolar != 0;
    for (int64_t tap = 0; tap < p->kernel_height * s->kernel_width; tap++) {
        for (int64_t start = 0; start < s->channels; start += unit, to += vectors * p->weight_bits * lanes) {
            int64_t count = s->channels - start < unit ? s->channels - start : unit;
            for (int64_t lane = 0; lane < vectors * lanes && first + lane < p->out_channels; lane++) {
                uint8_t *at = to + lane / lanes * p->weight_bits * lanes + variant->lane((int32_t)(lane % lanes));
                for (int64_t c = 0; c < count; c++) {
                    int32_t code =
                        oihw[(first + lane) * depth + conv2d_bitserial_weight_at(s, p, tap, start + c)] - base;
                    code >>= halve;
                    for (int32_t plane = 0; plane < p->weight_bits; plane++) {
                        at[plane * lanes] |= (uint8_t)((code >> plane & 1) << c);
                    }
                }
            }
        }
    }
    return to;
}

void conv2d_bitserial_pack(const conv2d_bitserial_variant *variant, const shrike_conv2d_q_params *p, const int8_t *oihw,
                           const int32_t *weight_zero, uint8_t *packed) {
    conv2d_bitserial_sizes s = conv2d_bitserial_measure(variant, p);
    int64_t depth = conv2d_q_depth(p), padded = s.vectors * variant->lanes;
    memset(packed, 0, (size_t)conv2d_bitserial_packed_size(variant, p));
    int32_t lowest = 0;
    for (int64_t i = 0; i < depth * p->out_channels; i++) {
        lowest = oihw[i] < lowest ? oihw[i] : lowest;
    }
    int32_t base = p->weight_bipolar ? -1 : lowest < 0 ? -(1 << (p->weight_bits - 1)) : 0;
    for (int64_t oc = 0; oc < p->out_channels; oc++) {
        int32_t zero = weight_zero ? weight_zero[oc] : 0, sum = 0;
        for (int64_t i = 0; i < depth; i++) {
            sum += oihw[oc * depth + i] - zero;
        }
        int32_t factor = base - zero;
        memcpy(packed + oc * (int64_t)sizeof factor, &factor, sizeof factor);
        memcpy(packed + (padded + oc) * (int64_t)sizeof sum, &sum, sizeof sum);
    }
    uint8_t *to = packed + head_bytes(variant, &s);
    for (int64_t vector = 0; vector < s.vectors;) {
        int64_t vectors = tile_of(variant, p, s.vectors - vector)->vectors;
        to = pack_panel(variant, p, &s, oihw, vector * variant->lanes, vectors, base, to);
        vector += vectors;
    }
}

/* The windows of a block: pointers to their first taps, sums of their codes, and where their results go. */
typedef struct block {
    const uint8_t *window[MAX_BLOCK + CONV2D_BITSERIAL_MAX_PIXELS];
    int32_t sum[MAX_BLOCK + CONV2D_BITSERIAL_MAX_PIXELS];
    int64_t dst[MAX_BLOCK + CONV2D_BITSERIAL_MAX_PIXELS], residual[MAX_BLOCK];
} block;

/* sums[i] += from[i * step]; the usual steps by themselves, for the compiler's vectors. */
static void add_every(int32_t *restrict sums, const int32_t *restrict from, int64_t count, int64_t step) {
    if (step == 1) {
        for (int64_t i = 0; i < count; i++) {
            sums[i] += from[i];
        }
    } else if (step == 2) {
        for (int64_t i = 0; i < count; i++) {
            sums[i] += from[2 * i];
        }
    } else {
        for (int64_t i = 0; i < count; i++) {
            sums[i] += from[i * step];
        }
    }
}

/* Sums of the codes of `count` windows side by side, the first one beginning at pixel `at` of the packed image. */
static void sum_windows(const work *k, int64_t at, int64_t count, int32_t *sums) {
    const shrike_conv2d_q_params *p = k->image.params;
    memset(sums, 0, sizeof *sums * (size_t)count);
    for (int64_t ky = 0; ky < p->kernel_height; ky++) {
        const int32_t *row = k->image.sums + at + ky * p->dilation_height * k->image.size.columns;
        for (int64_t kx = 0; kx < k->image.size.kernel_width; kx++) {
            add_every(sums, row + kx * p->dilation_width, count, k->image.size.stride_width);
        }
    }
}

static void find_windows(const work *k, int64_t first, int64_t count, block *b) {
    const shrike_conv2d_q_params *p = k->image.params;
    int64_t y = first / p->out_width, x = first % p->out_width, step = k->image.size.stride_width;
    for (int64_t i = 0; i < count; y++, x = 0) {
        int64_t end = count - i < p->out_width - x ? count : i + p->out_width - x;
        int64_t at = y * p->stride_height * k->image.size.columns + x * step;
        int64_t dst = k->batch * p->dst_batch_stride + y * p->dst_row_stride + x * p->dst_pixel_stride;
        int64_t residual =
            k->batch * p->residual_batch_stride + y * p->residual_row_stride + x * p->residual_pixel_stride;
        const uint8_t *window = k->image.pixels + at * k->image.size.pixel_bytes;
        sum_windows(k, at, end - i, b->sum + i);
        for (; i < end; i++) {
            b->window[i] = window;
            b->dst[i] = dst;
            b->residual[i] = residual;
            window += step * k->image.size.pixel_bytes;
            dst += p->dst_pixel_stride;
            residual += p->residual_pixel_stride;
        }
    }
    for (int64_t i = count; i < count + CONV2D_BITSERIAL_MAX_PIXELS; i++) {
        b->window[i] = b->window[count - 1]; /* an unfinished tile counts its last window again */
        b->sum[i] = b->sum[count - 1];
        b->dst[i] = b->dst[count - 1];
    }
}

/* One tile of pixels of a panel: codes by thresholds, to their places or for the residual to be added, or by sums. */
static void run_tile(const work *k, const conv2d_bitserial_tile *tile, conv2d_bitserial_panel *panel, const block *b,
                     int64_t pixel, conv2d_q_tile *results) {
    const int64_t wide = tile->vectors * k->image.variant->lanes;
    const uint8_t *const *windows = b->window + pixel;
    _Alignas(CONV2D_BITSERIAL_ALIGNMENT) int32_t sums[CONV2D_BITSERIAL_MAX_SUMS];
    if (k->thresholds.count && !k->image.params->residual) {
        panel->codes = (uint8_t *)k->image.params->dst + results->first;
        tile->run(windows, b->sum + pixel, panel, NULL, b->dst + pixel);
        return;
    }
    if (k->thresholds.count) {
        int64_t offsets[CONV2D_BITSERIAL_MAX_PIXELS];
        for (int32_t i = 0; i < tile->pixels; i++) {
            offsets[i] = i * wide;
        }
        panel->codes = (uint8_t *)sums;
        tile->run(windows, b->sum + pixel, panel, NULL, offsets);
        k->add(k->image.params, results, (conv2d_q_codes){(const uint8_t *)sums, wide});
        return;
    }
    tile->run(windows, b->sum + pixel, panel, sums, NULL);
    results->sums = sums;
    results->sums_stride = wide;
    k->epilogue(k->image.params, results);
}

static void run_block(const work *k, int64_t count, const block *b) {
    const shrike_conv2d_q_params *p = k->image.params;
    int64_t taps = p->kernel_height * k->image.size.kernel_width, lanes = k->image.variant->lanes;
    const uint8_t *weights = k->weights;
    for (int64_t vector = 0; vector < k->image.size.vectors;) {
        const conv2d_bitserial_tile *tile = tile_of(k->image.variant, p, k->image.size.vectors - vector);
        int64_t first = vector * lanes, wide = tile->vectors * lanes;
        int64_t channels = p->out_channels - first < wide ? p->out_channels - first : wide;
        conv2d_bitserial_panel panel = {.segments = k->segments,
                                        .segment_count = k->segment_count,
                                        .weights = weights,
                                        .factor = k->factor + first,
                                        .constant = k->constant + first,
                                        .shift = p->weight_bipolar != 0,
                                        .uniform = k->uniform,
                                        .channels = channels,
                                        .thresholds = k->thresholds};
        panel.thresholds.values += k->thresholds.count ? first : 0;
        for (int64_t pixel = 0; pixel < count; pixel += tile->pixels) {
            conv2d_q_tile results = {.pixels = count - pixel < tile->pixels ? count - pixel : tile->pixels,
                                     .first = first,
                                     .count = channels,
                                     .dst = b->dst + pixel,
                                     .residual = b->residual + pixel};
            run_tile(k, tile, &panel, b, pixel, &results);
        }
        weights += taps * k->image.size.pixel_units * p->weight_bits * wide;
        vector += tile->vectors;
    }
}

static void run_blocks(const void *argument, int64_t begin, int64_t end) {
    const work *k = argument;
    int64_t pixels = (int64_t)k->image.params->out_height * k->image.params->out_width;
    block b;
    for (int64_t i = begin; i < end; i++) {
        int64_t first = i * k->block;
        int64_t count = pixels - first < k->block ? pixels - first : k->block;
        find_windows(k, first, count, &b);
        run_block(k, count, &b);
    }
}

static void find_segments(work *k) {
    const shrike_conv2d_q_params *p = k->image.params;
    const conv2d_bitserial_sizes *s = &k->image.size;
    int together = p->dilation_width == 1;
    for (int64_t ky = 0; ky < p->kernel_height; ky++) {
        for (int64_t kx = 0; kx < (together ? 1 : s->kernel_width); kx++) {
            int64_t pixel = ky * p->dilation_height * s->columns + kx * p->dilation_width;
            k->segments[k->segment_count++] = (conv2d_bitserial_segment){
                .offset = pixel * s->pixel_bytes, .units = s->pixel_units * (together ? s->kernel_width : 1)};
        }
    }
}

/*
 * Whether 16 bits hold every sum of unsigned products, and every sum without its channel's constant less than the
 * highest number, which is a threshold that none reaches.
 */
static int sums_are_short(const work *k) {
    const shrike_conv2d_q_params *p = k->image.params;
    int64_t most = (1 << p->weight_bits) - 1, codes = conv2d_q_depth(p) * ((1 << p->src_bits) - 1);
    int64_t low = k->factor[0], high = k->factor[0] + (most << (p->weight_bipolar != 0));
    return k->uniform && codes * most <= UINT16_MAX && (low < 0 ? low : 0) * codes >= INT16_MIN &&
           (high > 0 ? high : 0) * codes < INT16_MAX;
}

/* Makes short thresholds, if the call has any and tiles can compare with them. */
static void find_thresholds(work *k) {
    const shrike_conv2d_q_params *p = k->image.params;
    const conv2d_q_thresholds *t = p->thresholds;
    if (!t || !t->count || !k->image.variant->thresholds || p->output != SHRIKE_QOUT_CODES || !sums_are_short(k)) {
        return;
    }
    int64_t padded = k->image.size.vectors * k->image.variant->lanes,
            stride = conv2d_q_thresholds_stride(p->out_channels);
    int16_t *values = (int16_t *)((uint8_t *)p->workspace + k->image.size.thresholds_at);
    k->thresholds = (conv2d_bitserial_thresholds){values, padded, t->count, t->falls, t->start};
    for (int32_t i = 0; i < t->count; i++) {
        for (int64_t c = 0; c < p->out_channels; c++) {
            int64_t value = (int64_t)t->values[i * stride + c] - k->constant[c];
            values[i * padded + c] = (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
        }
        for (int64_t c = p->out_channels; c < padded; c++) {
            values[i * padded + c] = INT16_MAX;
        }
    }
}

/* Blocks small enough that each thread gets several, large enough that a panel of weights is read seldom. */
static int64_t block_size(const shrike_context *context, const shrike_conv2d_q_params *p) {
    int64_t share = (int64_t)p->out_height * p->out_width / (4 * (int64_t)shrike_context_threads(context));
    return share >= MAX_BLOCK ? MAX_BLOCK : share >= MAX_BLOCK / 2 ? MAX_BLOCK / 2 : MAX_BLOCK / 5;
}

void conv2d_bitserial(const conv2d_bitserial_variant *variant, shrike_context *context, const shrike_conv2d_q_params *p,
                      const uint8_t *packed) {
    work k = {.image = {.variant = variant, .params = p, .size = conv2d_bitserial_measure(variant, p)},
              .block = block_size(context, p)};
    const conv2d_bitserial_sizes *s = &k.image.size;
    uint8_t *workspace = p->workspace;
    int64_t padded = s->vectors * variant->lanes;
    int32_t *constant = (int32_t *)workspace, *factor = (int32_t *)(workspace + s->factor_at);
    memcpy(factor, packed, (size_t)padded * sizeof *factor);
    memcpy(constant, packed + padded * (int64_t)sizeof *constant, (size_t)padded * sizeof *constant);
    k.uniform = 1;
    for (int64_t i = 0; i < padded; i++) {
        constant[i] *= -p->src_zero;
        k.uniform &= i >= p->out_channels || factor[i] == factor[0];
    }
    int32_t border_sum;
    int32_t channels = (int32_t)s->channels;
    memset(workspace + s->zeros_at, p->src_zero, (size_t)channels);
    variant->pack(workspace + s->zeros_at, 1, channels, channels, p->src_bits, workspace + s->border_at, &border_sum);
    k.factor = factor;
    k.constant = constant;
    k.weights = packed + head_bytes(variant, s);
    k.image.border = workspace + s->border_at;
    k.image.sums = (int32_t *)(workspace + s->sums_at);
    k.image.pixels = workspace + s->image_at;
    k.epilogue = conv2d_q_epilogue_of(context, p);
    k.add = conv2d_q_add_of(context);
    find_segments(&k);
    find_thresholds(&k);
    int64_t pixels = (int64_t)p->out_height * p->out_width;
    for (k.batch = 0; k.batch < p->batch; k.batch++) {
        k.image.src = p->src + k.batch * p->src_batch_stride;
        shrike_parallel(context, conv2d_bitserial_pack_rows, &k.image, s->rows,
                        shrike_grain(s->columns * p->channels, 1 << 14));
        shrike_parallel(context, run_blocks, &k, conv2d_bitserial_divide_up(pixels, k.block), 1);
    }
}
