/*
 * Nearest-neighbour resize of codes: every code taken as a float, the float operation must give the same values.
 */
#include "test/codes.h"

static void check(tier *tiers, int count) {
    shrike_resize2d_u8_params p = {.batch = (int32_t)pick(1, 2),
                                   .height = (int32_t)pick(1, 9),
                                   .width = (int32_t)pick(1, 9),
                                   .channels = (int32_t)pick(1, 70),
                                   .out_height = (int32_t)pick(1, 20),
                                   .out_width = (int32_t)pick(1, 20),
                                   .coordinates = (int32_t)pick(0, SHRIKE_COORDINATES_COUNT - 1),
                                   .nearest = (int32_t)pick(0, SHRIKE_NEAREST_COUNT - 1),
                                   .scale_height = pick(0, 1) ? 0 : random_float(0.3f, 3),
                                   .scale_width = pick(0, 1) ? 0 : 2};
    describe("n%d %dx%dx%d -> %dx%d coordinates %d nearest %d scales %g %g", p.batch, p.height, p.width, p.channels,
             p.out_height, p.out_width, p.coordinates, p.nearest, p.scale_height, p.scale_width);
    int64_t in[3], out[3];
    lay_out_image(p.height, p.width, p.channels, in);
    lay_out_image(p.out_height, p.out_width, p.channels, out);
    codes src = random_codes(image_extent(p.batch, p.height, p.width, p.channels, in), 0, 255);
    codes dst = random_codes(image_extent(p.batch, p.out_height, p.out_width, p.channels, out), 0, 255);
    buffer from = allocate(src.count), to = allocate(dst.count);
    for (int64_t i = 0; i < src.count; i++) {
        from.data[i] = src.data[i];
    }
    for (int64_t i = 0; i < dst.count; i++) {
        to.data[i] = dst.data[i];
    }
    shrike_resize2d_f32_params f = {.src = from.data,
                                    .dst = to.data,
                                    .src_bounds = WHOLE(from),
                                    .dst_bounds = WHOLE(to),
                                    .batch = p.batch,
                                    .height = p.height,
                                    .width = p.width,
                                    .channels = p.channels,
                                    .out_height = p.out_height,
                                    .out_width = p.out_width,
                                    .mode = SHRIKE_RESIZE_NEAREST,
                                    .coordinates = p.coordinates,
                                    .nearest = p.nearest,
                                    .scale_height = p.scale_height,
                                    .scale_width = p.scale_width};
    memcpy(&f.src_batch_stride, in, sizeof in);
    memcpy(&f.dst_batch_stride, out, sizeof out);
    memcpy(&p.src_batch_stride, in, sizeof in);
    memcpy(&p.dst_batch_stride, out, sizeof out);
    expect_status(SHRIKE_OK, shrike_resize2d_f32(tiers[0].context, &f), "the float operation");
    codes wanted = allocate_codes(dst.count);
    for (int64_t i = 0; i < dst.count; i++) {
        wanted.data[i] = (uint8_t)to.data[i];
    }
    POINT(p, src, src);
    for (int t = 0; t < count; t++) {
        codes result = duplicate_codes(dst);
        POINT(p, dst, result);
        expect_status(SHRIKE_OK, shrike_resize2d_u8(tiers[t].context, &p), tiers[t].name);
        expect_same_codes(&wanted, &result, tiers[t].name);
        release_codes(result);
    }
    shrike_resize2d_u8_params bad = p;
    bad.nearest = SHRIKE_NEAREST_COUNT;
    expect_status(SHRIKE_EINVAL, shrike_resize2d_u8(tiers[0].context, &bad), "nearest");
    bad = p;
    bad.scale_width = INFINITY;
    expect_status(SHRIKE_EINVAL, shrike_resize2d_u8(tiers[0].context, &bad), "scale");
    bad = p;
    bad.src_bounds.after--;
    expect_status(SHRIKE_EINVAL, shrike_resize2d_u8(tiers[0].context, &bad), "no room for the source");
    bad = p;
    bad.src = NULL;
    expect_status(SHRIKE_EINVAL, shrike_resize2d_u8(tiers[0].context, &bad), "src");
    expect_status(SHRIKE_EINVAL, shrike_resize2d_u8(tiers[0].context, NULL), "null params");
    release_codes(src);
    release_codes(dst);
    release_codes(wanted);
    release(from);
    release(to);
}

/* Twice the size repeats every pixel: known without the float operation. */
static void check_doubling(shrike_context *context) {
    describe("doubling");
    uint8_t src[4] = {1, 2, 3, 4}, dst[16];
    static const uint8_t wanted[16] = {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4};
    shrike_resize2d_u8_params p = {
        src, dst, WHOLE_ARRAY(src), WHOLE_ARRAY(dst), 4, 2, 1, 16, 4, 1, 1, 2, 2, 1, 4, 4, 0, 0, 2, 2};
    expect_status(SHRIKE_OK, shrike_resize2d_u8(context, &p), "doubling");
    if (memcmp(dst, wanted, sizeof dst)) {
        fail("the doubled image is wrong");
    }
}

int main(void) {
    start_tests(20260203);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers);
    check_doubling(tiers[0].context);
    for (int i = 0; i < 300; i++) {
        check(tiers, count);
    }
    destroy_tiers(tiers, count);
    puts("ok");
    return 0;
}
