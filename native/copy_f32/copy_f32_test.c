/*
 * Copies between random views, transpositions among them, and fills: exact, bits that are no number included.
 */
#include "test/views.h"

static void check_copy(tier *tiers, int count) {
    int64_t dims[SHRIKE_MAX_RANK];
    shrike_copy_f32_params p = {0};
    p.rank = random_dims(dims, 20000);
    view src = random_view(p.rank, dims, 1, -9, 9), dst = random_view(p.rank, dims, 0, -9, 9);
    describe_view("copy", 0, p.rank, dims, &dst);
    if (pick(0, 3) == 0) { /* a signalling NaN must come over as it is */
        uint32_t bits = 0x7fa12345;
        memcpy(&src.memory.data[pick(0, src.memory.count - 1)], &bits, sizeof bits);
    }
    memcpy(p.dims, dims, sizeof dims);
    memcpy(p.src_strides, src.strides, sizeof src.strides);
    memcpy(p.dst_strides, dst.strides, sizeof dst.strides);
    POINT(p, src, src.memory);
    buffer expected = duplicate(dst.memory);
    for (int64_t i = 0; i < count_of(p.rank, dims); i++) {
        memcpy(&expected.data[offset_of(p.rank, dims, dst.strides, i)],
               &src.memory.data[offset_of(p.rank, dims, src.strides, i)], sizeof(float));
    }
    for (int t = 0; t < count; t++) {
        buffer result = duplicate(dst.memory);
        POINT(p, dst, result);
        expect_status(SHRIKE_OK, shrike_copy_f32(tiers[t].context, &p), tiers[t].name);
        expect_same_bits(&expected, &result, tiers[t].name);
        release(result);
    }
    release(expected);
    release(src.memory);
    release(dst.memory);
}

static void check_fill(tier *tiers, int count) {
    int64_t dims[SHRIKE_MAX_RANK];
    shrike_fill_f32_params p = {.value = random_float(-9, 9)};
    p.rank = random_dims(dims, 20000);
    view dst = random_view(p.rank, dims, 0, -9, 9);
    describe_view("fill", 0, p.rank, dims, &dst);
    memcpy(p.dims, dims, sizeof dims);
    memcpy(p.dst_strides, dst.strides, sizeof dst.strides);
    buffer expected = duplicate(dst.memory);
    for (int64_t i = 0; i < count_of(p.rank, dims); i++) {
        expected.data[offset_of(p.rank, dims, dst.strides, i)] = p.value;
    }
    for (int t = 0; t < count; t++) {
        buffer result = duplicate(dst.memory);
        POINT(p, dst, result);
        expect_status(SHRIKE_OK, shrike_fill_f32(tiers[t].context, &p), tiers[t].name);
        expect_same_bits(&expected, &result, tiers[t].name);
        release(result);
    }
    release(expected);
    release(dst.memory);
}

/* Reversed rows: a source may have negative strides. */
static void check_reversal(shrike_context *context) {
    describe("reversal");
    float from[5] = {1, 2, 3, 4, 5}, to[5] = {0};
    shrike_copy_f32_params p = {
        .src = from + 4, .dst = to, .dims = {5}, .src_strides = {-1}, .dst_strides = {1}, .rank = 1};
    p.src_bounds = (shrike_bounds){4 * sizeof(float), sizeof(float)};
    p.dst_bounds = WHOLE_ARRAY(to);
    expect_status(SHRIKE_OK, shrike_copy_f32(context, &p), "reversal");
    for (int i = 0; i < 5; i++) {
        if (to[i] != from[4 - i]) {
            fail("element %d is %g", i, to[i]);
        }
    }
    p.src_bounds.before--;
    expect_status(SHRIKE_EINVAL, shrike_copy_f32(context, &p), "a start in front of the buffer");
}

int main(void) {
    start_tests(20260103);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers);
    check_reversal(tiers[0].context);
    for (int i = 0; i < 500; i++) {
        check_copy(tiers, count);
        check_fill(tiers, count);
    }
    expect_status(SHRIKE_EINVAL, shrike_copy_f32(tiers[0].context, NULL), "null params");
    expect_status(SHRIKE_EINVAL, shrike_fill_f32(tiers[0].context, NULL), "null params");
    destroy_tiers(tiers, count);
    puts("ok");
    return 0;
}
