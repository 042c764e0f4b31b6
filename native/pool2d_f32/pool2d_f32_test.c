/*
 * Pooling of random images and windows against double: windows that reach over every edge, lie wholly outside, or have
 * more taps than one go takes.
 */
#include <float.h>

#include "test/test.h"

static int in_padded(const shrike_pool2d_f32_params *p, int64_t y, int64_t x) {
    return y >= -p->pad_top && y < p->height + p->pad_bottom && x >= -p->pad_left && x < p->width + p->pad_right;
}

static double expected(const shrike_pool2d_f32_params *p, int average, int64_t n, int64_t oy, int64_t ox, int64_t c) {
    double sum = average ? 0 : -FLT_MAX;
    int64_t taps = 0;
    for (int64_t ky = 0; ky < p->kernel_height; ky++) {
        for (int64_t kx = 0; kx < p->kernel_width; kx++) {
            int64_t y = oy * p->stride_height - p->pad_top + ky * p->dilation_height;
            int64_t x = ox * p->stride_width - p->pad_left + kx * p->dilation_width;
            int inside = y >= 0 && y < p->height && x >= 0 && x < p->width;
            taps += inside || (p->count_include_pad && in_padded(p, y, x));
            if (inside) {
                double value = p->src[n * p->src_batch_stride + y * p->src_row_stride + x * p->src_pixel_stride + c];
                sum = average ? sum + value : fmax(sum, value);
            }
        }
    }
    return average && taps > 0 ? sum / (double)taps : sum;
}

static void check_pool(tier *tiers, int count, int average) {
    shrike_pool2d_f32_params p = {.batch = (int32_t)pick(1, 2),
                                  .height = (int32_t)pick(1, 12),
                                  .width = (int32_t)pick(1, 12),
                                  .channels = (int32_t)pick(1, 70),
                                  .out_height = (int32_t)pick(1, 8),
                                  .out_width = (int32_t)pick(1, 8),
                                  .kernel_height = (int32_t)pick(1, 11),
                                  .kernel_width = (int32_t)pick(1, 11),
                                  .stride_height = (int32_t)pick(1, 3),
                                  .stride_width = (int32_t)pick(1, 3),
                                  .pad_top = (int32_t)pick(0, 5),
                                  .pad_left = (int32_t)pick(0, 5),
                                  .pad_bottom = (int32_t)pick(0, 5),
                                  .pad_right = (int32_t)pick(0, 5),
                                  .dilation_height = (int32_t)pick(1, 2),
                                  .dilation_width = (int32_t)pick(1, 2),
                                  .count_include_pad = (int32_t)pick(0, 1)};
    p.src_pixel_stride = p.channels + pick(0, 5);
    p.src_row_stride = p.src_pixel_stride * p.width + pick(0, 5);
    p.src_batch_stride = p.src_row_stride * p.height + pick(0, 5);
    p.dst_pixel_stride = p.channels + pick(0, 5);
    p.dst_row_stride = p.dst_pixel_stride * p.out_width + pick(0, 5);
    p.dst_batch_stride = p.dst_row_stride * p.out_height + pick(0, 5);
    buffer src = allocate_random((p.batch - 1) * p.src_batch_stride + (p.height - 1) * p.src_row_stride +
                                     (p.width - 1) * p.src_pixel_stride + p.channels,
                                 -9, 9);
    buffer dst = allocate_random((p.batch - 1) * p.dst_batch_stride + (p.out_height - 1) * p.dst_row_stride +
                                     (p.out_width - 1) * p.dst_pixel_stride + p.channels,
                                 -9, 9);
    POINT(p, src, src);
    describe("%s n%d %dx%dx%d -> %dx%d kernel %dx%d stride %d,%d pads %d,%d,%d,%d dilation %d,%d include %d",
             average ? "average" : "maximum", p.batch, p.height, p.width, p.channels, p.out_height, p.out_width,
             p.kernel_height, p.kernel_width, p.stride_height, p.stride_width, p.pad_top, p.pad_left, p.pad_bottom,
             p.pad_right, p.dilation_height, p.dilation_width, p.count_include_pad);
    for (int t = 0; t < count; t++) {
        buffer result = duplicate(dst);
        POINT(p, dst, result);
        expect_status(SHRIKE_OK,
                      average ? shrike_avgpool2d_f32(tiers[t].context, &p) : shrike_maxpool2d_f32(tiers[t].context, &p),
                      tiers[t].name);
        for (int64_t i = 0; i < (int64_t)p.batch * p.out_height * p.out_width * p.channels; i++) {
            int64_t c = i % p.channels, x = i / p.channels % p.out_width;
            int64_t y = i / p.channels / p.out_width % p.out_height, n = i / p.channels / p.out_width / p.out_height;
            int64_t at = n * p.dst_batch_stride + y * p.dst_row_stride + x * p.dst_pixel_stride + c;
            double value = expected(&p, average, n, y, x, c);
            if (!close_enough(value, result.data[at], average ? 1e-5 : 0, 0)) {
                fail("%s: y %d x %d c %d is %.9g, expected %.9g", tiers[t].name, (int)y, (int)x, (int)c,
                     result.data[at], value);
            }
            result.data[at] = dst.data[at];
        }
        expect_same_bits(&dst, &result, "what lies between the pixels");
        release(result);
    }
    release(src);
    release(dst);
}

static void check_bad_arguments(shrike_context *context) {
    float x[4] = {0};
    describe("bad arguments");
    shrike_pool2d_f32_params good = {.src = x,
                                     .dst = x + 2,
                                     .src_bounds = WHOLE_ARRAY(x),
                                     .dst_bounds = {2 * sizeof *x, 2 * sizeof *x},
                                     .src_row_stride = 1,
                                     .src_pixel_stride = 1,
                                     .dst_row_stride = 1,
                                     .dst_pixel_stride = 1,
                                     .batch = 1,
                                     .height = 1,
                                     .width = 1,
                                     .channels = 1,
                                     .out_height = 1,
                                     .out_width = 1,
                                     .kernel_height = 1,
                                     .kernel_width = 1,
                                     .stride_height = 1,
                                     .stride_width = 1,
                                     .dilation_height = 1,
                                     .dilation_width = 1};
    expect_status(SHRIKE_OK, shrike_maxpool2d_f32(context, &good), "the good call");
    expect_status(SHRIKE_EINVAL, shrike_maxpool2d_f32(NULL, &good), "null context");
    expect_status(SHRIKE_EINVAL, shrike_avgpool2d_f32(context, NULL), "null params");
#define REFUSE(change)                                                                                                 \
    do {                                                                                                               \
        shrike_pool2d_f32_params bad = good;                                                                           \
        bad.change;                                                                                                    \
        expect_status(SHRIKE_EINVAL, shrike_maxpool2d_f32(context, &bad), #change);                                    \
        expect_status(SHRIKE_EINVAL, shrike_avgpool2d_f32(context, &bad), #change);                                    \
    } while (0)
    REFUSE(src = NULL);
    REFUSE(dst = NULL);
    REFUSE(channels = 0);
    REFUSE(out_height = -1);
    REFUSE(kernel_height = 0);
    REFUSE(stride_width = 0);
    REFUSE(dilation_height = 0);
    REFUSE(pad_right = -1);
    REFUSE(pad_right = 1 << 30);
    REFUSE(pad_top = 1 << 30);
    REFUSE(stride_height = INT32_MAX);
    REFUSE(width = 5);
    REFUSE(src_bounds.after = 3);
    REFUSE(dst_bounds.after = 3);
    REFUSE(count_include_pad = 2);
    REFUSE(src_pixel_stride = 0);
    REFUSE(dst_row_stride = -1);
}

int main(void) {
    start_tests(20260107);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers);
    check_bad_arguments(tiers[0].context);
    for (int i = 0; i < 120; i++) {
        check_pool(tiers, count, 0);
        check_pool(tiers, count, 1);
    }
    destroy_tiers(tiers, count);
    puts("ok");
    return 0;
}
