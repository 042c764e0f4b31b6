/*
 * Resize against the formulas of ONNX Resize in double. Scales are powers of two or exact quotients, so that both sides
 * round the same coordinates.
 */
#include "test/test.h"

static double coordinate(int32_t kind, int64_t out, double scale, int32_t size, int32_t out_size) {
    switch (kind) {
    case SHRIKE_COORDINATES_ASYMMETRIC:
        return (double)out / scale;
    case SHRIKE_COORDINATES_HALF_PIXEL:
        return ((double)out + 0.5) / scale - 0.5;
    case SHRIKE_COORDINATES_PYTORCH_HALF_PIXEL:
        return out_size > 1 ? ((double)out + 0.5) / scale - 0.5 : 0;
    default:
        return out_size > 1 ? (double)out * (size - 1) / (out_size - 1) : 0;
    }
}

static int64_t clamp(double at, int32_t size) {
    return at < 0 ? 0 : at > size - 1 ? size - 1 : (int64_t)at;
}

static int64_t nearest(int32_t rule, double at, int32_t size) {
    switch (rule) {
    case SHRIKE_NEAREST_FLOOR:
        return clamp(floor(at), size);
    case SHRIKE_NEAREST_CEIL:
        return clamp(ceil(at), size);
    case SHRIKE_NEAREST_ROUND_PREFER_FLOOR:
        return clamp(ceil(at - 0.5), size);
    default:
        return clamp(floor(at + 0.5), size);
    }
}

static double pixel(const shrike_resize2d_f32_params *p, int64_t n, int64_t y, int64_t x, int64_t c) {
    return p->src[n * p->src_batch_stride + y * p->src_row_stride + x * p->src_pixel_stride + c];
}

static double expected(const shrike_resize2d_f32_params *p, int64_t n, int64_t oy, int64_t ox, int64_t c) {
    double y = coordinate(p->coordinates, oy, (double)p->out_height / p->height, p->height, p->out_height);
    double x = coordinate(p->coordinates, ox, (double)p->out_width / p->width, p->width, p->out_width);
    if (p->mode == SHRIKE_RESIZE_NEAREST) {
        return pixel(p, n, nearest(p->nearest, y, p->height), nearest(p->nearest, x, p->width), c);
    }
    y = fmax(0, fmin(p->height - 1, y));
    x = fmax(0, fmin(p->width - 1, x));
    int64_t top = (int64_t)y, left = (int64_t)x;
    int64_t bottom = clamp((double)top + 1, p->height), right = clamp((double)left + 1, p->width);
    double down = y - (double)top, along = x - (double)left;
    return (pixel(p, n, top, left, c) * (1 - along) + pixel(p, n, top, right, c) * along) * (1 - down) +
           (pixel(p, n, bottom, left, c) * (1 - along) + pixel(p, n, bottom, right, c) * along) * down;
}

static void check_resize(tier *tiers, int count) {
    static const int32_t factors[] = {1, 2, 4};
    shrike_resize2d_f32_params p = {.batch = (int32_t)pick(1, 2),
                                    .channels = (int32_t)pick(1, 40),
                                    .mode = (int32_t)pick(0, 1),
                                    .coordinates = (int32_t)pick(0, SHRIKE_COORDINATES_COUNT - 1),
                                    .nearest = (int32_t)pick(0, SHRIKE_NEAREST_COUNT - 1)};
    int32_t up_y = factors[pick(0, 2)], up_x = factors[pick(0, 2)];
    p.height = (int32_t)pick(1, 9) * (up_y == 1 ? 2 : 1);
    p.width = (int32_t)pick(1, 9) * (up_x == 1 ? 2 : 1);
    p.out_height = up_y == 1 ? p.height / 2 : p.height * up_y;
    p.out_width = up_x == 1 ? p.width / 2 : p.width * up_x;
    /* align_corners divides by other numbers: nearest ones would round differently in float and double */
    if (p.coordinates == SHRIKE_COORDINATES_ALIGN_CORNERS) {
        p.mode = SHRIKE_RESIZE_LINEAR;
    }
    if (pick(0, 1)) {
        p.scale_height = (float)p.out_height / (float)p.height;
        p.scale_width = (float)p.out_width / (float)p.width;
    }
    p.src_pixel_stride = p.channels + pick(0, 5);
    p.src_row_stride = p.src_pixel_stride * p.width + pick(0, 5);
    p.src_batch_stride = p.src_row_stride * p.height;
    p.dst_pixel_stride = p.channels + pick(0, 5);
    p.dst_row_stride = p.dst_pixel_stride * p.out_width + pick(0, 5);
    p.dst_batch_stride = p.dst_row_stride * p.out_height;
    buffer src = allocate_random((p.batch - 1) * p.src_batch_stride + (p.height - 1) * p.src_row_stride +
                                     (p.width - 1) * p.src_pixel_stride + p.channels,
                                 -9, 9);
    buffer dst = allocate_random((p.batch - 1) * p.dst_batch_stride + (p.out_height - 1) * p.dst_row_stride +
                                     (p.out_width - 1) * p.dst_pixel_stride + p.channels,
                                 -9, 9);
    POINT(p, src, src);
    describe("mode %d coordinates %d nearest %d: %dx%dx%d -> %dx%d", p.mode, p.coordinates, p.nearest, p.height,
             p.width, p.channels, p.out_height, p.out_width);
    for (int t = 0; t < count; t++) {
        buffer result = duplicate(dst);
        POINT(p, dst, result);
        expect_status(SHRIKE_OK, shrike_resize2d_f32(tiers[t].context, &p), tiers[t].name);
        for (int64_t i = 0; i < (int64_t)p.batch * p.out_height * p.out_width * p.channels; i++) {
            int64_t c = i % p.channels, x = i / p.channels % p.out_width;
            int64_t y = i / p.channels / p.out_width % p.out_height, n = i / p.channels / p.out_width / p.out_height;
            int64_t at = n * p.dst_batch_stride + y * p.dst_row_stride + x * p.dst_pixel_stride + c;
            double value = expected(&p, n, y, x, c);
            if (!close_enough(value, result.data[at], p.mode == SHRIKE_RESIZE_LINEAR ? 1e-4 : 0, 0)) {
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

int main(void) {
    start_tests(20260108);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers);
    for (int i = 0; i < 300; i++) {
        check_resize(tiers, count);
    }
    float x[2] = {0};
    shrike_resize2d_f32_params p = {.src = x,
                                    .dst = x + 1,
                                    .src_bounds = WHOLE_ARRAY(x),
                                    .dst_bounds = {sizeof *x, sizeof *x},
                                    .src_row_stride = 1,
                                    .src_pixel_stride = 1,
                                    .dst_row_stride = 1,
                                    .dst_pixel_stride = 1,
                                    .batch = 1,
                                    .height = 1,
                                    .width = 1,
                                    .channels = 1,
                                    .out_height = 1,
                                    .out_width = 1};
    describe("bad arguments");
    expect_status(SHRIKE_OK, shrike_resize2d_f32(tiers[0].context, &p), "the good call");
    expect_status(SHRIKE_EINVAL, shrike_resize2d_f32(tiers[0].context, NULL), "null params");
    p.out_width = 2;
    expect_status(SHRIKE_EINVAL, shrike_resize2d_f32(tiers[0].context, &p), "a result beyond the buffer");
    p.out_width = 1;
    p.scale_width = NAN;
    expect_status(SHRIKE_EINVAL, shrike_resize2d_f32(tiers[0].context, &p), "a scale that is no number");
    p.scale_width = 0;
    p.mode = SHRIKE_RESIZE_MODE_COUNT;
    expect_status(SHRIKE_EINVAL, shrike_resize2d_f32(tiers[0].context, &p), "an unknown mode");
    destroy_tiers(tiers, count);
    puts("ok");
    return 0;
}
