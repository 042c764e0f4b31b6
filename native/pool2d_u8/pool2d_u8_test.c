/*
 * Maximum pooling of codes against a loop over all taps; slices of wider images, one thread and three.
 */
#include "test/codes.h"

static uint8_t expected(const shrike_pool2d_u8_params *p, int64_t n, int64_t y, int64_t x, int64_t c) {
    uint8_t most = 0;
    for (int64_t ky = 0; ky < p->kernel_height; ky++) {
        for (int64_t kx = 0; kx < p->kernel_width; kx++) {
            int64_t in_y = y * p->stride_height - p->pad_top + ky * p->dilation_height;
            int64_t in_x = x * p->stride_width - p->pad_left + kx * p->dilation_width;
            if (in_y >= 0 && in_y < p->height && in_x >= 0 && in_x < p->width) {
                uint8_t code =
                    p->src[n * p->src_batch_stride + in_y * p->src_row_stride + in_x * p->src_pixel_stride + c];
                most = code > most ? code : most;
            }
        }
    }
    return most;
}

static void check(tier *tiers, int count) {
    shrike_pool2d_u8_params p = {.batch = (int32_t)pick(1, 2),
                                 .height = (int32_t)pick(1, 12),
                                 .width = (int32_t)pick(1, 20),
                                 .channels = (int32_t)pick(1, 100),
                                 .out_height = (int32_t)pick(1, 12),
                                 .out_width = (int32_t)pick(1, 20),
                                 .kernel_height = (int32_t)pick(1, 7),
                                 .kernel_width = (int32_t)pick(1, 7),
                                 .stride_height = (int32_t)pick(1, 3),
                                 .stride_width = (int32_t)pick(1, 3),
                                 .pad_top = (int32_t)pick(0, 4),
                                 .pad_left = (int32_t)pick(0, 4),
                                 .dilation_height = (int32_t)pick(1, 2),
                                 .dilation_width = (int32_t)pick(1, 2)};
    describe("n%d %dx%dx%d -> %dx%d kernel %dx%d stride %d,%d pad %d,%d dilation %d,%d", p.batch, p.height, p.width,
             p.channels, p.out_height, p.out_width, p.kernel_height, p.kernel_width, p.stride_height, p.stride_width,
             p.pad_top, p.pad_left, p.dilation_height, p.dilation_width);
    int64_t in[3], out[3];
    lay_out_image(p.height, p.width, p.channels, in);
    lay_out_image(p.out_height, p.out_width, p.channels, out);
    codes src = random_codes(image_extent(p.batch, p.height, p.width, p.channels, in), 0, 255);
    codes dst = random_codes(image_extent(p.batch, p.out_height, p.out_width, p.channels, out), 0, 255);
    POINT(p, src, src);
    memcpy(&p.src_batch_stride, in, sizeof in);
    memcpy(&p.dst_batch_stride, out, sizeof out);
    codes wanted = duplicate_codes(dst);
    for (int64_t i = 0; i < (int64_t)p.batch * p.out_height * p.out_width * p.channels; i++) {
        int64_t c = i % p.channels, x = i / p.channels % p.out_width;
        int64_t y = i / p.channels / p.out_width % p.out_height, n = i / p.channels / p.out_width / p.out_height;
        wanted.data[n * out[0] + y * out[1] + x * out[2] + c] = expected(&p, n, y, x, c);
    }
    for (int t = 0; t < count; t++) {
        codes result = duplicate_codes(dst);
        POINT(p, dst, result);
        expect_status(SHRIKE_OK, shrike_maxpool2d_u8(tiers[t].context, &p), tiers[t].name);
        expect_same_codes(&wanted, &result, tiers[t].name);
        release_codes(result);
    }
    release_codes(src);
    release_codes(dst);
    release_codes(wanted);
}

static void check_bad_arguments(shrike_context *context) {
    uint8_t image[16] = {0};
    const shrike_bounds src = {0, 4}, dst = {8, 4};
    shrike_pool2d_u8_params good = {image, image + 8, src, dst, 4, 4, 1, 4, 4, 1, 1, 1,
                                    4,     1,         1,   4,   1, 1, 1, 1, 0, 0, 1, 1};
    describe("bad arguments");
    expect_status(SHRIKE_OK, shrike_maxpool2d_u8(context, &good), "the good call");
    expect_status(SHRIKE_EINVAL, shrike_maxpool2d_u8(context, NULL), "null params");
    expect_status(SHRIKE_EINVAL, shrike_maxpool2d_u8(NULL, &good), "null context");
#define REFUSE(change)                                                                                                 \
    do {                                                                                                               \
        shrike_pool2d_u8_params bad = good;                                                                            \
        bad.change;                                                                                                    \
        expect_status(SHRIKE_EINVAL, shrike_maxpool2d_u8(context, &bad), #change);                                     \
    } while (0)
    REFUSE(src = NULL);
    REFUSE(dst = NULL);
    REFUSE(channels = 2);
    REFUSE(kernel_height = 0);
    REFUSE(stride_width = 0);
    REFUSE(pad_left = -1);
    REFUSE(pad_left = 1 << 30);
    REFUSE(dilation_width = 1 << 29);
    REFUSE(width = 5);
    REFUSE(dst_bounds.after = 3);
    REFUSE(dilation_height = 0);
    REFUSE(out_height = 0);
}

int main(void) {
    start_tests(20260202);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers);
    check_bad_arguments(tiers[0].context);
    for (int i = 0; i < 300; i++) {
        check(tiers, count);
    }
    destroy_tiers(tiers, count);
    puts("ok");
    return 0;
}
