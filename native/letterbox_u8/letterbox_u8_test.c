/*
 * Frames of every format, of any size, stride and region, against a reference that converts the whole frame first and
 * then resizes it pixel by pixel. Source, target and workspace end at guard pages.
 */
#include "test/codes.h"

typedef struct reference {
    int32_t height, width;
    uint8_t *bgr;
} reference;

static uint8_t clamp(int64_t level) {
    return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

static void put_yuv(uint8_t *bgr, int y, int u, int v) {
    const int64_t luma = y < 16 ? 0 : (y - 16) * INT64_C(1220542);
    bgr[0] = clamp((luma + (u - 128) * INT64_C(2116026) + 524288) >> 20);
    bgr[1] = clamp((luma - (u - 128) * INT64_C(409993) - (v - 128) * INT64_C(852492) + 524288) >> 20);
    bgr[2] = clamp((luma + (v - 128) * INT64_C(1673527) + 524288) >> 20);
}

static reference convert(const shrike_letterbox_u8_f32_params *p) {
    reference r = {p->height, p->width, malloc(3 * (size_t)p->height * (size_t)p->width)};
    const uint8_t *s = p->src;
    const int64_t stride = p->src_row_stride, plane = stride * p->height, half = (stride + 1) / 2;
    for (int64_t y = 0; y < p->height; y++) {
        for (int64_t x = 0; x < p->width; x++) {
            uint8_t *to = r.bgr + 3 * (y * p->width + x);
            const uint8_t *at = s + y * stride;
            const int64_t v_plane = plane + half * ((p->height + 1) / 2);
            switch (p->format) {
            case SHRIKE_PIXELS_BGR:
                memcpy(to, at + 3 * x, 3);
                break;
            case SHRIKE_PIXELS_RGB:
                to[0] = at[3 * x + 2];
                to[1] = at[3 * x + 1];
                to[2] = at[3 * x];
                break;
            case SHRIKE_PIXELS_GREY:
                memset(to, at[x], 3);
                break;
            case SHRIKE_PIXELS_YUYV:
                put_yuv(to, at[2 * x], at[x / 2 * 4 + 1], at[x / 2 * 4 + 3]);
                break;
            case SHRIKE_PIXELS_UYVY:
                put_yuv(to, at[2 * x + 1], at[x / 2 * 4], at[x / 2 * 4 + 2]);
                break;
            case SHRIKE_PIXELS_NV12:
                put_yuv(to, at[x], s[plane + y / 2 * stride + x / 2 * 2], s[plane + y / 2 * stride + x / 2 * 2 + 1]);
                break;
            default:
                put_yuv(to, at[x], s[plane + y / 2 * half + x / 2], s[v_plane + y / 2 * half + x / 2]);
            }
        }
    }
    return r;
}

/* OpenCV's resize of bytes: its columns at the edges count whole, its rows are repeated. */
static int resized(const shrike_letterbox_u8_f32_params *p, const reference *r, int32_t x, int32_t y, int channel) {
    const uint8_t *region = r->bgr + 3 * ((int64_t)p->region_top * p->width + p->region_left) + channel;
    const int64_t row = 3 * (int64_t)p->width, w = p->region_width, h = p->region_height;
    if (w == 2 * (int64_t)p->inner_width && h == 2 * (int64_t)p->inner_height) {
        const uint8_t *q = region + 2 * y * row + 6 * x;
        return (q[0] + q[3] + q[row] + q[row + 3] + 2) >> 2;
    }
    const float fx = (float)((x + 0.5) * (1 / ((double)p->inner_width / (double)w)) - 0.5);
    const float fy = (float)((y + 0.5) * (1 / ((double)p->inner_height / (double)h)) - 0.5);
    int64_t x0 = (int64_t)floorf(fx), y0 = (int64_t)floorf(fy);
    float ax = fx - (float)x0, ay = fy - (float)y0;
    int64_t x1 = x0 + 1, y1 = y0 + 1;
    if (x0 < 0) {
        x0 = x1 = 0;
        ax = 0;
    } else if (x1 >= w) {
        x0 = x1 = w - 1;
        ax = 0;
    }
    y0 = y0 < 0 ? 0 : y0;
    y1 = y1 >= h ? h - 1 : y1;
    y0 = y0 >= h ? h - 1 : y0;
    const int a0 = (int)rintf((1 - ax) * 2048), a1 = (int)rintf(ax * 2048);
    const int b0 = (int)rintf((1 - ay) * 2048), b1 = (int)rintf(ay * 2048);
    const int upper = region[y0 * row + 3 * x0] * a0 + region[y0 * row + 3 * x1] * a1;
    const int lower = region[y1 * row + 3 * x0] * a0 + region[y1 * row + 3 * x1] * a1;
    return (((b0 * (upper >> 4)) >> 16) + ((b1 * (lower >> 4)) >> 16) + 2) >> 2;
}

static int64_t half(int64_t n) {
    return (n + 1) / 2;
}

static int64_t row_bytes(int format, int64_t width) {
    static const int pixels[] = {3, 3, 1};
    return format <= SHRIKE_PIXELS_GREY   ? pixels[format] * width
           : format <= SHRIKE_PIXELS_UYVY ? 4 * half(width)
           : format == SHRIKE_PIXELS_NV12 ? 2 * half(width)
                                          : width;
}

static int64_t frame_bytes(const shrike_letterbox_u8_f32_params *p) {
    const int64_t stride = p->src_row_stride, row = row_bytes(p->format, p->width);
    if (p->format == SHRIKE_PIXELS_NV12) {
        return stride * (p->height + half(p->height) - 1) + row;
    }
    if (p->format == SHRIKE_PIXELS_I420) {
        return stride * p->height + half(stride) * (2 * half(p->height) - 1) + half(p->width);
    }
    return stride * (p->height - 1) + row;
}

/* Which of the target's three dimensions is innermost, and padding between. */
static void lay_out_target(shrike_letterbox_u8_f32_params *p) {
    const int32_t pad = pick(0, 1) ? (int32_t)pick(0, 5) : 0;
    if (pick(0, 1)) {
        p->dst_pixel_stride = 1;
        p->dst_row_stride = p->out_width + pad;
        p->dst_channel_stride = p->dst_row_stride * p->out_height + pad;
    } else {
        p->dst_channel_stride = 1;
        p->dst_pixel_stride = 3 + pad;
        p->dst_row_stride = p->out_width * p->dst_pixel_stride + pad;
    }
}

static int64_t at_target(const shrike_letterbox_u8_f32_params *p, int64_t channel, int64_t y, int64_t x) {
    return channel * p->dst_channel_stride + y * p->dst_row_stride + x * p->dst_pixel_stride;
}

static void choose_region(shrike_letterbox_u8_f32_params *p) {
    p->region_width = p->width;
    p->region_height = p->height;
    if (pick(0, 2) == 0) {
        p->region_width = (int32_t)pick(1, p->width);
        p->region_height = (int32_t)pick(1, p->height);
        p->region_left = (int32_t)pick(0, p->width - p->region_width);
        p->region_top = (int32_t)pick(0, p->height - p->region_height);
    }
}

/* Any inner size; often one of a whole ratio, which has weights of zero, or exactly the half. */
static void choose_target(shrike_letterbox_u8_f32_params *p) {
    const int32_t ratio = (int32_t)pick(1, 4);
    p->inner_width = (int32_t)pick(1, 150);
    p->inner_height = (int32_t)pick(1, 90);
    if (pick(0, 1) && p->region_width % ratio == 0 && p->region_height % ratio == 0) {
        p->inner_width = p->region_width / ratio;
        p->inner_height = p->region_height / ratio;
    }
    p->left = (int32_t)pick(0, 9);
    p->top = (int32_t)pick(0, 9);
    p->out_width = p->left + p->inner_width + (int32_t)pick(0, 9);
    p->out_height = p->top + p->inner_height + (int32_t)pick(0, 9);
    lay_out_target(p);
}

static void expect(const shrike_letterbox_u8_f32_params *p, const reference *r, float *dst) {
    for (int32_t y = 0; y < p->out_height; y++) {
        for (int32_t x = 0; x < p->out_width; x++) {
            const int32_t column = x - p->left, row = y - p->top;
            for (int c = 0; c < 3; c++) {
                float value = p->fill;
                if (column >= 0 && column < p->inner_width && row >= 0 && row < p->inner_height) {
                    value = (float)resized(p, r, column, row, p->red_first ? 2 - c : c) * p->scale;
                }
                dst[at_target(p, c, y, x)] = value;
            }
        }
    }
}

static void compare(tier *tiers, int count, shrike_letterbox_u8_f32_params p) {
    const int format = p.format;
    describe("format %d, %dx%d, stride %lld, region %dx%d at %d, %d to %dx%d at %d, %d of %dx%d", format, p.width,
             p.height, (long long)p.src_row_stride, p.region_width, p.region_height, p.region_left, p.region_top,
             p.inner_width, p.inner_height, p.left, p.top, p.out_width, p.out_height);
    codes src = random_codes(frame_bytes(&p), 0, 255);
    POINT(p, src, src);
    reference r = convert(&p);
    buffer wanted = allocate_random(at_target(&p, 2, p.out_height - 1, p.out_width - 1) + 1, -2, -1);
    buffer workspace = allocate(6 * (int64_t)p.inner_width + 4 * (int64_t)p.inner_height);
    p.workspace = (int32_t *)workspace.data;
    p.workspace_bounds = WHOLE(workspace);
    buffer fresh = duplicate(wanted);
    expect(&p, &r, wanted.data);
    for (int t = 0; t < count; t++) {
        buffer result = duplicate(fresh);
        POINT(p, dst, result);
        expect_status(SHRIKE_OK, shrike_letterbox_u8_f32(tiers[t].context, &p), tiers[t].name);
        expect_same_bits(&wanted, &result, tiers[t].name);
        release(result);
    }
    free(r.bgr);
    release_codes(src);
    release(wanted);
    release(fresh);
    release(workspace);
}

static void check(tier *tiers, int count, int format) {
    shrike_letterbox_u8_f32_params p = {.format = format, .scale = 1 / 255.0f, .fill = 114 / 255.0f};
    p.width = (int32_t)pick(1, pick(0, 3) ? 40 : 400);
    p.height = (int32_t)pick(1, pick(0, 3) ? 40 : 200);
    p.src_row_stride = row_bytes(format, p.width) + (pick(0, 1) ? pick(1, 17) : 0);
    p.red_first = (int32_t)pick(0, 1);
    choose_region(&p);
    choose_target(&p);
    compare(tiers, count, p);
}

/* Exactly halved regions of that width in the input, at the beginning and the end of a frame, even and odd. */
static void check_halves(tier *tiers, int count, int format, int32_t width) {
    shrike_letterbox_u8_f32_params p = {.format = format, .scale = 1 / 255.0f, .fill = 114 / 255.0f};
    p.inner_width = width;
    p.inner_height = (int32_t)pick(1, 5);
    p.region_width = 2 * width;
    p.region_height = 2 * p.inner_height;
    p.region_left = (int32_t)pick(0, 3);
    p.region_top = (int32_t)pick(0, 3);
    p.width = p.region_left + p.region_width + (int32_t)pick(0, 1);
    p.height = p.region_top + p.region_height + (int32_t)pick(0, 1);
    p.src_row_stride = row_bytes(format, p.width) + (pick(0, 1) ? pick(1, 17) : 0);
    p.red_first = (int32_t)pick(0, 1);
    p.left = (int32_t)pick(0, 2);
    p.out_width = p.left + p.inner_width + (int32_t)pick(0, 2);
    p.out_height = p.inner_height + (int32_t)pick(0, 2);
    lay_out_target(&p);
    compare(tiers, count, p);
}

/* Every combination of bytes, as a frame of one luminance and one chrominance each. */
static void check_every_colour(tier *tiers, int count) {
    static float dst[3 * 256 * 256], wanted[3 * 256 * 256];
    static int32_t workspace[10 * 256];
    static uint8_t src[512 * 256];
    shrike_letterbox_u8_f32_params p = {.src = src,
                                        .dst = dst,
                                        .workspace = workspace,
                                        .src_bounds = WHOLE_ARRAY(src),
                                        .dst_bounds = WHOLE_ARRAY(dst),
                                        .workspace_bounds = WHOLE_ARRAY(workspace),
                                        .src_row_stride = 512,
                                        .dst_channel_stride = 65536,
                                        .dst_row_stride = 256,
                                        .dst_pixel_stride = 1,
                                        .format = SHRIKE_PIXELS_YUYV,
                                        .height = 256,
                                        .width = 256,
                                        .region_height = 256,
                                        .region_width = 256,
                                        .out_height = 256,
                                        .out_width = 256,
                                        .inner_height = 256,
                                        .inner_width = 256,
                                        .scale = 1,
                                        .fill = 7};
    for (int u = 0; u < 256; u += 5) {
        describe("every colour with u = %d", u);
        for (int v = 0; v < 256; v++) {
            for (int x = 0; x < 128; x++) {
                const uint8_t pixels[] = {(uint8_t)(2 * x), (uint8_t)u, (uint8_t)(2 * x + 1), (uint8_t)v};
                memcpy(src + 512 * v + 4 * x, pixels, 4);
            }
        }
        reference r = convert(&p);
        expect(&p, &r, wanted);
        free(r.bgr);
        for (int t = 0; t < count; t++) {
            expect_status(SHRIKE_OK, shrike_letterbox_u8_f32(tiers[t].context, &p), tiers[t].name);
            if (memcmp(dst, wanted, sizeof dst)) {
                fail("%s differs", tiers[t].name);
            }
        }
    }
}

static void check_bad_arguments(shrike_context *context) {
    uint8_t src[64] = {0};
    float dst[3 * 16];
    int32_t workspace[40];
    const shrike_letterbox_u8_f32_params good = {.src = src,
                                                 .dst = dst,
                                                 .workspace = workspace,
                                                 .src_bounds = WHOLE_ARRAY(src),
                                                 .dst_bounds = WHOLE_ARRAY(dst),
                                                 .workspace_bounds = WHOLE_ARRAY(workspace),
                                                 .src_row_stride = 12,
                                                 .dst_channel_stride = 16,
                                                 .dst_row_stride = 4,
                                                 .dst_pixel_stride = 1,
                                                 .format = SHRIKE_PIXELS_BGR,
                                                 .height = 4,
                                                 .width = 4,
                                                 .region_height = 4,
                                                 .region_width = 4,
                                                 .out_height = 4,
                                                 .out_width = 4,
                                                 .inner_height = 4,
                                                 .inner_width = 4,
                                                 .scale = 1};
    shrike_letterbox_u8_f32_params p = good;
    describe("bad arguments");
    expect_status(SHRIKE_OK, shrike_letterbox_u8_f32(context, &p), "the good call");
    expect_status(SHRIKE_EINVAL, shrike_letterbox_u8_f32(context, NULL), "null params");
    expect_status(SHRIKE_EINVAL, shrike_letterbox_u8_f32(NULL, &p), "null context");
#define REFUSED(field, value)                                                                                          \
    do {                                                                                                               \
        p = good;                                                                                                      \
        p.field = value;                                                                                               \
        expect_status(SHRIKE_EINVAL, shrike_letterbox_u8_f32(context, &p), #field " = " #value);                       \
    } while (0)
    REFUSED(src, NULL);
    REFUSED(dst, NULL);
    REFUSED(workspace, NULL);
    REFUSED(src_bounds.after, 47);
    REFUSED(dst_bounds.after, 3 * 16 * 4 - 1);
    REFUSED(workspace_bounds.after, 159);
    REFUSED(src_row_stride, 11);
    REFUSED(src_row_stride, 1 << 20);
    REFUSED(src_row_stride, INT64_C(1) << 31);
    REFUSED(src_row_stride, -12);
    REFUSED(dst_row_stride, 0);
    REFUSED(dst_channel_stride, INT64_MAX);
    REFUSED(dst_pixel_stride, INT64_MIN);
    REFUSED(format, -1);
    REFUSED(format, SHRIKE_PIXELS_COUNT);
    REFUSED(format, SHRIKE_PIXELS_I420 + 1);
    REFUSED(width, 0);
    REFUSED(width, 5);
    REFUSED(height, SHRIKE_MAX_SIZE + 1);
    REFUSED(height, 6);
    REFUSED(region_left, 1);
    REFUSED(region_top, -1);
    REFUSED(region_width, 0);
    REFUSED(region_height, INT32_MAX);
    REFUSED(left, 1);
    REFUSED(top, INT32_MIN);
    REFUSED(inner_width, -4);
    REFUSED(inner_height, 5);
    REFUSED(out_width, INT32_MAX);
    REFUSED(out_height, 0);
    REFUSED(red_first, 2);
    /* Formats with a plane of chrominance behind that of luminance. */
    p = good;
    p.format = SHRIKE_PIXELS_NV12;
    p.src_row_stride = 4;
    p.src_bounds.after = 24;
    expect_status(SHRIKE_OK, shrike_letterbox_u8_f32(context, &p), "NV12 of 24 bytes");
    p.src_bounds.after = 23;
    expect_status(SHRIKE_EINVAL, shrike_letterbox_u8_f32(context, &p), "NV12 of 23 bytes");
    p.format = SHRIKE_PIXELS_I420;
    expect_status(SHRIKE_EINVAL, shrike_letterbox_u8_f32(context, &p), "I420 of 23 bytes");
}

int main(void) {
    start_tests(20261129);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers);
    check_bad_arguments(tiers[0].context);
    for (int i = 0; i < 420; i++) {
        check(tiers, count, i % SHRIKE_PIXELS_COUNT);
    }
    for (int32_t width = 1; width <= 300; width += width < 70 ? 1 : 23) {
        for (int format = 0; format < SHRIKE_PIXELS_COUNT; format++) {
            check_halves(tiers, count, format, width);
        }
    }
    check_every_colour(tiers, count);
    destroy_tiers(tiers, count);
    puts("ok");
    return 0;
}
